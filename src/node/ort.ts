import * as ort from "onnxruntime-node";
import { TesseraeError } from "../errors.ts";
import type { OnnxModel } from "../graph/onnx.ts";
import { allocate, type DType, sizeOf, type TensorData, type TypedArray } from "../graph/types.ts";
import {
  type Backend,
  type LoadOptions,
  NEXT,
  type RunOptions,
  type Session,
  type State,
  type Tensors,
} from "../runtime/backend.ts";

export type Device = "cpu" | "webgpu" | "cuda" | "dml" | "coreml";

export interface OrtOptions {
  device?: Device;
  /** Threads of one operator; default: all processors. */
  threads?: number;
}

/** Devices this installation can run on. */
export const listDevices = (): string[] =>
  ort
    .listSupportedBackends()
    .filter((b) => b.bundled)
    .map((b) => b.name);

/** The device, where it can be used; else a TesseraeError that lists those that can. */
export function checkDevice(device: Device = "cpu"): Device {
  const available = listDevices();
  if (available.includes(device)) return device;
  throw new TesseraeError("runtime", `device ${device} is not available here`, {
    hint: `Available: ${available.join(", ")}`,
  });
}

/** onnxruntime-node in the calling thread. `run` blocks it; `createEngine` puts it into a worker. */
export async function createOrtBackend(options: OrtOptions = {}): Promise<Backend> {
  const device = checkDevice(options.device);
  return {
    device,
    load: (model, loadOptions = {}) => load(model, loadOptions, device, options.threads),
    createState: async (tensors) => new OrtState(tensors),
    dispose: async () => {},
  };
}

async function load(model: OnnxModel, options: LoadOptions, device: Device, threads?: number): Promise<Session> {
  try {
    const session = await ort.InferenceSession.create(model.model, {
      executionProviders: [device],
      graphOptimizationLevel: options.optimization ?? "all",
      interOpNumThreads: 1,
      executionMode: "sequential",
      logSeverityLevel: 3,
      ...(threads && { intraOpNumThreads: threads }),
      ...(options.profile && { enableProfiling: true, profileFilePrefix: options.profile }),
      ...(model.external && {
        externalData: [{ path: model.external.location, data: concatenate(model.external.chunks) }],
      }),
    });
    return new OrtSession(session, options.profile !== undefined);
  } catch (cause) {
    throw new TesseraeError("runtime", `the runtime refused the program: ${reason(cause)}`, { cause });
  }
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

const toOrt = ({ dtype, shape, data }: TensorData): ort.Tensor =>
  new ort.Tensor(dtype as "float32", data as Float32Array, shape);
const fromOrt = (t: ort.Tensor): TensorData => ({ dtype: t.type as DType, shape: t.dims, data: t.data as TypedArray });

/** Two buffers a tensor: a run reads the front and writes the back, then they change places. Nothing is allocated or copied. */
class OrtState implements State {
  front = new Map<string, ort.Tensor>();
  back = new Map<string, ort.Tensor>();

  constructor(tensors: Tensors) {
    for (const [name, t] of tensors) {
      this.front.set(name, toOrt({ ...t, data: t.data.slice() as TypedArray }));
      this.back.set(name, toOrt({ ...t, data: allocate(t.dtype, sizeOf(t.shape)) }));
    }
  }

  async read(names: readonly string[] = [...this.front.keys()]): Promise<Map<string, TensorData>> {
    return new Map(
      names.map((name) => {
        const t = fromOrt(this.#get(name));
        return [name, { ...t, data: t.data.slice() as TypedArray }];
      }),
    );
  }

  async write(tensors: Tensors): Promise<void> {
    for (const [name, t] of tensors) (this.#get(name).data as Float32Array).set(t.data as Float32Array);
  }

  /** Makes the written outputs current. */
  advance(names: readonly string[]): void {
    for (const name of names) {
      const old = this.front.get(name) as ort.Tensor;
      this.front.set(name, this.back.get(name) as ort.Tensor);
      this.back.set(name, old);
    }
  }

  async dispose(): Promise<void> {
    this.front.clear();
    this.back.clear();
  }

  #get(name: string): ort.Tensor {
    const t = this.front.get(name);
    if (!t) throw new TesseraeError("internal", `the state has no tensor ${name}`);
    return t;
  }
}

class OrtSession implements Session {
  readonly #session: ort.InferenceSession;
  readonly #profiling: boolean;
  readonly #next: readonly string[];

  constructor(session: ort.InferenceSession, profiling: boolean) {
    this.#session = session;
    this.#profiling = profiling;
    this.#next = session.outputNames.filter((n) => n.startsWith(NEXT)).map((n) => n.slice(NEXT.length));
  }

  async run(feeds: Tensors, { state, commit }: RunOptions = {}): Promise<Map<string, TensorData>> {
    const store = state as OrtState | undefined;
    const inputs: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const given = feeds.get(name);
      const value = given ? toOrt(given) : store?.front.get(name);
      if (!value) throw new TesseraeError("internal", `no value for the input ${name}`);
      inputs[name] = value;
    }
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const name of this.#session.outputNames)
      fetches[name] = name.startsWith(NEXT) ? (store?.back.get(name.slice(NEXT.length)) ?? null) : null;
    const results = await this.#session.run(inputs, fetches);
    const outputs = new Map<string, TensorData>();
    for (const [name, t] of Object.entries(results))
      if (!(store && name.startsWith(NEXT))) outputs.set(name, fromOrt(t as ort.Tensor));
    if (store && (!commit || Boolean(outputs.get(commit)?.data[0]))) store.advance(this.#next);
    return outputs;
  }

  async dispose(): Promise<void> {
    if (this.#profiling) this.#session.endProfiling();
    await this.#session.release();
  }
}
