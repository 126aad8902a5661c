import { type ErrorCode, TesseraeError } from "../errors.ts";
import type { Target } from "../graph/passes/index.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import type { Backend, RunOptions, Session, State, Tensors, Timed } from "./backend.ts";
import type { EngineCall, EngineReply, EngineRequest } from "./engine-protocol.ts";

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export const CLOSED = "the engine was closed";

/** An engine's thread, as its client sees it. */
export interface EnginePort {
  post(request: EngineRequest, transfer: ArrayBuffer[]): void;
  /** Whether answers are awaited, where that keeps the process alive. */
  busy?(waits: boolean): void;
  close(): Promise<void>;
}

/** Calls into the engine's worker, answered in order. */
export class EngineClient {
  readonly #port: EnginePort;
  readonly #pending = new Map<number, Pending>();
  readonly #whenIdle: (() => void)[] = [];
  #nextId = 0;
  #dead?: Error;

  constructor(port: EnginePort) {
    this.#port = port;
  }

  call<T>(call: EngineCall, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#dead) return reject(this.#dead);
      const id = this.#nextId++;
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#port.busy?.(true);
      this.#port.post({ id, call }, transfer);
    });
  }

  /** Nothing is asked from now on; how long what is awaited may take is the port's affair. */
  async close(): Promise<void> {
    this.#dead ??= new TesseraeError("runtime", CLOSED);
    await this.#port.close();
    this.fail(CLOSED);
  }

  /** Resolves when no answer is awaited. */
  idle(): Promise<void> {
    return this.#pending.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** An answer came. */
  settle(reply: EngineReply): void {
    const task = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#rest();
    if ("error" in reply) task?.reject(revive(reply.error.message, reply.error.code));
    else task?.resolve(reply.result);
  }

  /** The thread is gone: what is awaited and what is asked from now on fails so. */
  fail(what: string, cause?: unknown): void {
    this.#dead ??= new TesseraeError("runtime", what, { cause });
    for (const { reject } of this.#pending.values()) reject(this.#dead);
    this.#pending.clear();
    this.#rest();
  }

  #rest(): void {
    this.#port.busy?.(false);
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

const revive = (message: string, code?: string): Error =>
  new TesseraeError((code as ErrorCode | undefined) ?? "internal", message);

/**
 * Buffers of image bytes may be handed over: the loader gives each batch once. One that is gone already would take its whole
 * message with it, unanswered.
 */
const handedOver = (feeds: Tensors, names: readonly string[]): ArrayBuffer[] =>
  names.flatMap((name) => {
    const tensor = feeds.get(name);
    if (tensor?.data.length === 0 && sizeOf(tensor.shape) > 0)
      throw new TesseraeError("internal", `the values of ${name} were handed over before`);
    const buffer = tensor?.data.buffer;
    return buffer instanceof ArrayBuffer ? [buffer] : [];
  });

class EngineState implements State {
  readonly #client: EngineClient;
  readonly handle: number;

  constructor(client: EngineClient, handle: number) {
    this.#client = client;
    this.handle = handle;
  }

  read(names?: readonly string[]): Promise<Map<string, TensorData>> {
    return this.#client.call({ method: "read", state: this.handle, names });
  }
  async write(tensors: Tensors): Promise<void> {
    await this.#client.call({ method: "write", state: this.handle, tensors: new Map(tensors) });
  }
  async dispose(): Promise<void> {
    await this.#client.call({ method: "disposeState", state: this.handle });
  }
}

class EngineSession implements Session {
  readonly #client: EngineClient;
  readonly #handle: number;

  constructor(client: EngineClient, handle: number) {
    this.#client = client;
    this.#handle = handle;
  }

  async run(feeds: Tensors, { state, commit, consume = [] }: RunOptions = {}): Promise<Map<string, TensorData>> {
    const handle = (state as EngineState | undefined)?.handle;
    const call: EngineCall = { method: "run", session: this.#handle, feeds: new Map(feeds), state: handle, commit };
    return this.#client.call(call, handedOver(feeds, consume));
  }
  time(state: State): Promise<Timed> {
    return this.#client.call({ method: "time", session: this.#handle, state: (state as EngineState).handle });
  }
  async dispose(): Promise<void> {
    await this.#client.call({ method: "disposeSession", session: this.#handle });
  }
}

/** The backend whose sessions and states live in an engine's thread. */
export const engineBackend = (client: EngineClient, of: { device: string; target: Target }): Backend => ({
  ...of,
  load: async (model, options = {}) =>
    new EngineSession(client, await client.call<number>({ method: "load", model, options })),
  createState: async (tensors) =>
    new EngineState(client, await client.call<number>({ method: "createState", tensors: new Map(tensors) })),
  dispose: () => client.close(),
});
