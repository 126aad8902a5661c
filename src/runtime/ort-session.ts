import type * as Common from "onnxruntime-common";
import { TesseraeError } from "../errors.ts";
import { decodeProto, joinChunks, type OnnxModel } from "../graph/onnx.ts";
import type { Target } from "../graph/passes/index.ts";
import { NEXT, OVER } from "../graph/program.ts";
import type { Shape, TensorData } from "../graph/types.ts";
import type { Backend, LoadOptions, RunOptions, Session, State, Tensors, Timed } from "./backend.ts";
import { DeviceState, fromOrt, HostState, type Ort, type OrtState, toOrt } from "./ort-state.ts";

/** An onnxruntime and how it is to run. */
export interface OrtSetup {
  readonly ort: Ort;
  /** "cpu", "webgpu"..., as programs and errors name it. */
  readonly device: string;
  /** What the runtime calls it. */
  readonly provider: string;
  readonly target: Target;
  /** Threads of one operator; absent: the runtime's own choice. */
  readonly threads?: number;
  /** Whether it writes into the outputs it is given, without copying. */
  readonly writesInto: boolean;
  /** Where programs are kept as the runtime has rewritten them; absent: nowhere. */
  readonly prepared?: PreparedModels;
}

/** Programs that the runtime has rewritten before, by the program and the kind of rewriting. */
export interface PreparedModels {
  find(model: Uint8Array, optimization: string): Promise<Uint8Array | undefined>;
  /** Keeps what `write` writes to the path it is given. May fail; then nothing is kept. */
  keep(model: Uint8Array, optimization: string, write: (path: string) => Promise<void>): Promise<void>;
}

/** A backend over an onnxruntime in the calling thread. */
export const ortBackend = (setup: OrtSetup): Backend => ({
  device: setup.device,
  target: setup.target,
  load: (model, options = {}) => load(setup, model, options),
  createState: async (tensors) =>
    keepsState(setup)
      ? new DeviceState(setup.ort, tensors, setup.provider)
      : new HostState(setup.ort, tensors, { doubled: setup.writesInto }),
  dispose: async () => {},
});

async function load(setup: OrtSetup, model: OnnxModel, options: LoadOptions): Promise<Session> {
  const { ort, provider, threads } = setup;
  const common: Common.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 3,
    enableMemPattern: options.memoryPlan ?? true,
    ...(keepsState(setup) && { preferredOutputLocation: stateOnDevice(model.model) }),
    ...(threads && { intraOpNumThreads: threads }),
    ...(options.profile && { enableProfiling: true, profileFilePrefix: options.profile }),
    ...(model.external && {
      externalData: [{ path: model.external.location, data: joinChunks(model.external.chunks) }],
    }),
  };
  const create: Create = (bytes, more) => ort.InferenceSession.create(bytes, { ...common, ...more });
  const { optimization = "all", profile } = options;
  const kept = options.keep && !model.external && model.model.length >= WORTH_KEEPING ? setup.prepared : undefined;
  try {
    const session = kept
      ? await prepared(kept, create, model.model, optimization)
      : await create(model.model, { graphOptimizationLevel: optimization });
    return new OrtSession(ort, session, profile !== undefined);
  } catch (cause) {
    throw new TesseraeError("runtime", `the runtime refused the program: ${reason(cause)}`, { cause });
  }
}

type Create = (bytes: Uint8Array, more: Common.InferenceSession.SessionOptions) => Promise<Common.InferenceSession>;

/** Bytes of a program whose rewriting takes longer than looking for it: some hundred operators. */
const WORTH_KEEPING = 2 ** 16;

/** A session of a program as the runtime left it the last time; else of the program, which is then kept. */
async function prepared(
  models: PreparedModels,
  create: Create,
  model: Uint8Array,
  optimization: NonNullable<LoadOptions["optimization"]>,
): Promise<Common.InferenceSession> {
  const before = await models.find(model, optimization);
  if (before) {
    const session = await create(before, { graphOptimizationLevel: "disabled" }).catch(() => undefined);
    if (session) return session;
  }
  let session: Common.InferenceSession | undefined;
  const write = async (optimizedModelFilePath: string): Promise<void> => {
    session = await create(model, { graphOptimizationLevel: optimization, optimizedModelFilePath });
  };
  await models.keep(model, optimization, write).catch(() => {}); // no place to keep it: a full disk, a folder of others
  return session ?? create(model, { graphOptimizationLevel: optimization });
}

/** WebGPU keeps outputs in its own buffers; the other providers hand them back to the host. */
const keepsState = ({ provider }: OrtSetup): boolean => provider === "webgpu";

/** Every output that is a next state stays on the device, the rest comes back. */
const stateOnDevice = (model: Uint8Array) =>
  Object.fromEntries(
    (decodeProto(model).graph?.output ?? []).map(
      ({ name }) => [name, name.startsWith(NEXT) ? "gpu-buffer" : "cpu"] as const,
    ),
  );

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];

/** Threads of a session that has run wait for its next run so long, each on a processor (measured: 50 to 95 ms). */
const SPIN_MS = 100;

class OrtSession implements Session {
  readonly #ort: Ort;
  readonly #session: Common.InferenceSession;
  readonly #profiling: boolean;
  /** Shapes of the outputs that are written over a state. */
  readonly #shapes: ReadonlyMap<string, Shape>;

  constructor(ort: Ort, session: Common.InferenceSession, profiling: boolean) {
    this.#ort = ort;
    this.#session = session;
    this.#profiling = profiling;
    const over = session.outputNames.some((name) => name.startsWith(OVER)) ? session.outputMetadata : [];
    this.#shapes = new Map(over.map((o) => [o.name, o.isTensor ? o.shape.map(Number) : []]));
  }

  async run(feeds: Tensors, { state, commit }: RunOptions = {}): Promise<Map<string, TensorData>> {
    const store = state as OrtState | undefined;
    const inputs: Record<string, Common.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const given = feeds.get(name);
      const value = given ? toOrt(this.#ort, given) : store?.current(name);
      if (!value) throw new TesseraeError("internal", `no value for the input ${name}`);
      inputs[name] = value;
    }
    const fetches: Record<string, Common.Tensor | null> = {};
    for (const name of this.#session.outputNames) fetches[name] = this.#destination(name, store) ?? null;
    const results = await this.#session.run(inputs, fetches);
    const outputs = new Map<string, TensorData>();
    const next = new Map<string, Common.Tensor>();
    for (const [name, value] of Object.entries(results)) {
      if (store && name.startsWith(NEXT)) next.set(name.slice(NEXT.length), value as Common.Tensor);
      else if (!store || !name.startsWith(OVER)) outputs.set(name, fromOrt(value as Common.Tensor));
    }
    store?.settle(next, !commit || Boolean(outputs.get(commit)?.data[0]));
    return outputs;
  }

  /** Where an output is written; undefined: the runtime makes room. */
  #destination(output: string, state: OrtState | undefined): Common.Tensor | undefined {
    if (!output.startsWith(OVER)) return output.startsWith(NEXT) ? state?.target(output.slice(NEXT.length)) : undefined;
    const current = state?.current(output.slice(OVER.length));
    const shape = this.#shapes.get(output);
    return current && shape ? toOrt(this.#ort, { ...fromOrt(current), shape }) : undefined;
  }

  async time(state: State): Promise<Timed> {
    const first = performance.now();
    for (;;) {
      const begun = performance.now();
      await this.run(new Map(), { state });
      const end = performance.now();
      if (begun - first >= SPIN_MS) return { ms: end - begun, spent: end - first };
    }
  }

  async dispose(): Promise<void> {
    if (this.#profiling) this.#session.endProfiling();
    await this.#session.release();
  }
}
