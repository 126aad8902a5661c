import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import type { Backend, Session, State } from "./backend.ts";
import type { EngineCall, EngineReply, EngineRequest } from "./engine-protocol.ts";

/** What an engine's thread does with a request: one after another, in the order in which they came. */
export function serveEngine(
  backend: Promise<Backend>,
  post: (reply: EngineReply, transfer: ArrayBuffer[]) => void,
): (request: EngineRequest) => void {
  const perform = performer(backend);
  let queue: Promise<void> = Promise.resolve();
  return ({ id, call }) => {
    queue = queue.then(async () => {
      try {
        const result = await perform(call);
        post({ id, result }, transferable(result));
      } catch (error) {
        const { message } = error as Error;
        post({ id, error: { message, code: error instanceof TesseraeError ? error.code : undefined } }, []);
      }
    });
  };
}

function performer(backend: Promise<Backend>): (call: EngineCall) => Promise<unknown> {
  const sessions = new Map<number, Session>();
  const states = new Map<number, State>();
  let nextHandle = 0;
  const sessionOf = (handle: number): Session => sessions.get(handle) as Session;
  const stateOf = (handle: number): State => states.get(handle) as State;
  return async (call) => {
    switch (call.method) {
      case "load":
        sessions.set(nextHandle, await (await backend).load(call.model, call.options));
        return nextHandle++;
      case "createState":
        states.set(nextHandle, await (await backend).createState(call.tensors));
        return nextHandle++;
      case "run": {
        const state = call.state === undefined ? undefined : stateOf(call.state);
        return sessionOf(call.session).run(call.feeds, { state, commit: call.commit });
      }
      case "time":
        return sessionOf(call.session).time(stateOf(call.state));
      case "read":
        return stateOf(call.state).read(call.names);
      case "write":
        return stateOf(call.state).write(call.tensors);
      case "disposeSession":
        await sessionOf(call.session).dispose();
        return sessions.delete(call.session);
      case "disposeState":
        await stateOf(call.state).dispose();
        return states.delete(call.state);
    }
  };
}

/** Buffers of tensors that this thread owns whole, which can be handed over instead of copied. */
function transferable(result: unknown): ArrayBuffer[] {
  if (!(result instanceof Map)) return [];
  const whole = [...(result as Map<string, TensorData>).values()].filter(
    ({ data }) => data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength,
  );
  return [...new Set(whole.map(({ data }) => data.buffer as ArrayBuffer))];
}
