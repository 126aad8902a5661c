import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import type { Program } from "../graph/program.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { initialize } from "../models/trace.ts";
import { createOptimizer } from "../optim/index.ts";
import type { Backend, Session } from "../runtime/backend.ts";
import { inferenceGraph } from "../train/evaluate.ts";
import { initialState, type StepOptions, trainStep } from "../train/step.ts";
import { loadStep } from "../train/stepper.ts";

export interface SampleOptions {
  /** Images of a run. */
  readonly batch: number;
  /** `--grad-checkpointing`. */
  readonly checkpointing?: boolean;
  /** Passes to leave out. */
  readonly without?: readonly string[];
  /** Where the runtime writes its profile; see LoadOptions. */
  readonly profile?: string;
}

/** A program on made-up images, ready to be timed. */
export interface SampleWork {
  readonly program: Program;
  /** Milliseconds that it took to write the program, and to load it. */
  readonly made: { readonly program: number; readonly session: number };
  run(): Promise<unknown>;
  dispose(): Promise<void>;
}

/** The step that samples are of: AdamW with decay, clipping to norm 1. */
export const sampleOptions = (batch: number): StepOptions => ({
  batch,
  optimizer: createOptimizer("adamw"),
  weightDecay: 0.05,
  clipGrad: 1,
});

/** A training step as `train` runs it. */
export async function sampleStep(model: Model, backend: Backend, options: SampleOptions): Promise<SampleWork> {
  const { batch, checkpointing, without, profile } = options;
  const step = { ...sampleOptions(batch), checkpointing, without };
  const { program, session, made } = await make(
    () => optimize(trainStep(model, step), { ...backend.target, without }),
    (p) => loadStep(backend, p, { profile }),
  );
  const state = await backend.createState(initialState(model, initialize(model, 0), step));
  const feeds = new Map<string, TensorData>([
    ["image", noise([batch, ...model.inputShape])],
    ["target", targets(batch, model.numClasses)],
    ["lr", { dtype: "float32", shape: [], data: Float32Array.of(1e-4) }],
  ]);
  return {
    program,
    made,
    run: () => session.run(feeds, { state, commit: "finite" }),
    async dispose() {
      await session.dispose();
      await state.dispose();
    },
  };
}

/** Logits of a batch as `eval` computes them. */
export async function sampleInference(model: Model, backend: Backend, options: SampleOptions): Promise<SampleWork> {
  const weights = initialize(model, 0);
  const { program, session, made } = await make(
    () => inferenceGraph(model, options.batch, weights),
    (p) => backend.load(encodeModel(p), { profile: options.profile }),
  );
  const feeds = new Map([["image", noise([options.batch, ...model.inputShape])]]);
  return { program, made, run: () => session.run(feeds), dispose: () => session.dispose() };
}

async function make(
  write: () => Program,
  load: (program: Program) => Promise<Session>,
): Promise<Pick<SampleWork, "program" | "made"> & { session: Session }> {
  const begun = performance.now();
  const program = write();
  const written = performance.now();
  const session = await load(program);
  return { program, session, made: { program: written - begun, session: performance.now() - written } };
}

/** Random bytes, the same in every run. */
const noise = (shape: readonly number[]): TensorData => ({
  dtype: "uint8",
  shape,
  data: filled(new Uint8Array(sizeOf(shape)), (bits) => bits >>> 24),
});

/** Values of 32 random bits each, the same in every run. In a plain loop: there may be millions, in the thread that feeds a run. */
export function filled<T extends Uint8Array | Float32Array>(data: T, toValue: (bits: number) => number): T {
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = toValue(state);
  }
  return data;
}

/** One-hot rows [N, K], classes in turn. */
function targets(batch: number, classes: number): TensorData {
  const data = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) data[i * classes + (i % classes)] = 1;
  return { dtype: "float32", shape: [batch, classes], data };
}
