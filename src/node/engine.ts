import { Worker } from "node:worker_threads";
import { type ErrorCode, TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import type { Backend, RunOptions, Session, State, Tensors } from "../runtime/backend.ts";
import type { EngineCall, EngineReply, EngineStart } from "./engine-protocol.ts";
import { checkDevice, type OrtOptions } from "./ort.ts";
import { targetOf } from "./ort-blocks.ts";
import { workerUrl } from "./worker-url.ts";

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Calls into the engine's worker, answered in order. */
class EngineClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #dead?: Error;

  constructor(options: EngineStart) {
    this.#worker = new Worker(workerUrl("engine-worker"), { workerData: options, name: "tesserae-engine" });
    this.#worker.unref();
    this.#worker.on("message", (reply: EngineReply) => this.#settle(reply));
    this.#worker.on("error", (cause) =>
      this.#fail(
        new TesseraeError("runtime", `the engine stopped: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        }),
      ),
    );
    this.#worker.on("exit", () => this.#fail(new TesseraeError("runtime", "the engine was closed")));
  }

  call<T>(call: EngineCall, transfer: ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#dead) return reject(this.#dead);
      const id = this.#nextId++;
      this.#pending.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, call }, transfer);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: EngineReply): void {
    const task = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("error" in reply) task?.reject(revive(reply.error.message, reply.error.code));
    else task?.resolve(reply.result);
  }

  #fail(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#dead);
    this.#pending.clear();
  }
}

const revive = (message: string, code?: string): Error =>
  new TesseraeError((code as ErrorCode | undefined) ?? "internal", message);

/** Buffers of image bytes may be handed over: the loader gives each batch once. */
const handedOver = (feeds: Tensors, names: readonly string[]): ArrayBuffer[] =>
  names.flatMap((name) => {
    const buffer = feeds.get(name)?.data.buffer;
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

  run(feeds: Tensors, { state, commit, consume = [] }: RunOptions = {}): Promise<Map<string, TensorData>> {
    const handle = (state as EngineState | undefined)?.handle;
    const call: EngineCall = { method: "run", session: this.#handle, feeds: new Map(feeds), state: handle, commit };
    return this.#client.call(call, handedOver(feeds, consume));
  }
  async dispose(): Promise<void> {
    await this.#client.call({ method: "disposeSession", session: this.#handle });
  }
}

/** onnxruntime-node in a worker of its own, so that the caller's thread stays alive while a program runs. */
export async function createEngine(options: OrtOptions = {}): Promise<Backend> {
  const device = checkDevice(options.device);
  const client = new EngineClient(options);
  return {
    device,
    target: await targetOf(device),
    load: async (model, loadOptions = {}) =>
      new EngineSession(client, await client.call<number>({ method: "load", model, options: loadOptions })),
    createState: async (tensors) =>
      new EngineState(client, await client.call<number>({ method: "createState", tensors: new Map(tensors) })),
    dispose: () => client.close(),
  };
}
