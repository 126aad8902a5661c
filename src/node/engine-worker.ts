import { parentPort, workerData } from "node:worker_threads";
import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import type { Backend, Session, State } from "../runtime/backend.ts";
import type { EngineCall, EngineReply, EngineRequest, EngineStart } from "./engine-protocol.ts";
import { createOrtBackend } from "./ort.ts";

/** The engine's thread: `session.run` blocks it, and nothing else. */
const port = parentPort;
if (!port) throw new TesseraeError("internal", "the engine runs in a worker");

const backend: Promise<Backend> = createOrtBackend(workerData as EngineStart);
const sessions = new Map<number, Session>();
const states = new Map<number, State>();
let nextHandle = 0;

const sessionOf = (handle: number): Session => sessions.get(handle) as Session;
const stateOf = (handle: number): State => states.get(handle) as State;

async function perform(call: EngineCall): Promise<unknown> {
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
}

/** Buffers of tensors that this thread owns whole, which can be handed over instead of copied. */
function transferable(result: unknown): ArrayBuffer[] {
  if (!(result instanceof Map)) return [];
  const whole = [...(result as Map<string, TensorData>).values()].filter(
    ({ data }) => data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength,
  );
  return [...new Set(whole.map(({ data }) => data.buffer as ArrayBuffer))];
}

// One request after another, in the order in which they came.
let queue: Promise<void> = Promise.resolve();
port.on("message", ({ id, call }: EngineRequest) => {
  queue = queue.then(async () => {
    try {
      const result = await perform(call);
      port.postMessage({ id, result } satisfies EngineReply, transferable(result));
    } catch (error) {
      const { message } = error as Error;
      const code = error instanceof TesseraeError ? error.code : undefined;
      port.postMessage({ id, error: { message, code } } satisfies EngineReply);
    }
  });
});
