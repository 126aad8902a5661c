import { optimize } from "../src/graph/passes/index.ts";
import { sizeOf, type TensorData } from "../src/graph/types.ts";
import { frozenSlots } from "../src/models/freeze.ts";
import { createModel } from "../src/models/index.ts";
import type { Model } from "../src/models/model.ts";
import { specOf } from "../src/models/spec.ts";
import { createEngine } from "../src/node/engine.ts";
import { adamw } from "../src/optim/adamw.ts";
import type { Session } from "../src/runtime/backend.ts";
import { exportOnnx } from "../src/train/export.ts";
import { oneHot } from "../src/train/loss.ts";
import { initialState, trainStep } from "../src/train/step.ts";
import { loadStep } from "../src/train/stepper.ts";
import { parityTensor } from "../src/verify/parity.ts";

/** One piece of work that both sides can do: plain JSON, sent to their processes. */
export interface WorkSpec {
  readonly kind: "train" | "infer";
  /** timm's name, known to both sides. */
  readonly model: string;
  /** timm's options. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Options that only ours needs (ConvMixer of timm takes no image size). */
  readonly ourOptions?: Readonly<Record<string, unknown>>;
  /** timm's class to build instead of its model of that name: "timm.models.convmixer.ConvMixer". */
  readonly peerClass?: string;
  /** [C, H, W], filled in from our model. */
  readonly inputShape: readonly number[];
  readonly numClasses: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly batch: number;
  readonly threads: number;
  /** Training leaves all but the head as it is; batch norms normalise by their running statistics. */
  readonly frozen?: boolean;
}

/** Of every training step, on all sides. */
export const TRAINING = { lr: 1e-4, weightDecay: 0.05, clipGrad: 1, smoothing: 0.1 } as const;

export interface Work {
  /** What comes before the clock: images that a step hands over to the engine, as training and prediction do. */
  prepare?(): void;
  /** Does it once; the loss tells that both sides did the same. */
  step(): Promise<number>;
  dispose(): Promise<void>;
}

export interface WorkOptions {
  /** Passes to leave out. */
  readonly without?: readonly string[];
  /** Prefix of onnxruntime's profile. */
  readonly profile?: string;
}

export const modelOf = (spec: Pick<WorkSpec, "model" | "options" | "ourOptions">): Model =>
  createModel(spec.model, { ...spec.options, ...spec.ourOptions });

/** Byte i of the batch: the top byte of the low 32 bits of i · 2654435761. All sides compute it. */
export const batchPixels = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

/** Labels 0, 7, 14... modulo the classes. */
export const batchLabels = (batch: number, classes: number): number[] =>
  Array.from({ length: batch }, (_, i) => (7 * i) % classes);

const parityWeights = (model: Model): Map<string, TensorData> =>
  new Map(model.slots.map((slot) => [slot.name, parityTensor(slot)]));

/** Our side of a work, as `train` and `createPredictor` do it: the engine's worker thread, their optimization levels. */
export async function openWork(spec: WorkSpec, options: WorkOptions = {}): Promise<Work> {
  const model = modelOf(spec);
  const backend = await createEngine({ threads: spec.threads });
  const open = spec.kind === "train" ? openTraining : openInference;
  const work = await open(spec, model, backend, options);
  return {
    prepare: work.prepare,
    step: work.step,
    dispose: async () => {
      await work.dispose();
      await backend.dispose();
    },
  };
}

type Engine = Awaited<ReturnType<typeof createEngine>>;

async function openTraining(spec: WorkSpec, model: Model, backend: Engine, options: WorkOptions): Promise<Work> {
  const { batch, numClasses } = spec;
  const { lr, ...settings } = TRAINING;
  const { without } = options;
  const weights = parityWeights(model);
  const frozen = spec.frozen ? frozenSlots(model, ["*"]) : undefined;
  const constants = frozen && new Map([...weights].filter(([name]) => frozen.has(name)));
  const step = { batch, optimizer: adamw(), frozen, constants, ...settings };
  const program = optimize(trainStep(model, { ...step, without }), { ...backend.target, without });
  const session = await loadStep(backend, program, { profile: options.profile });
  const state = await backend.createState(initialState(model, weights, step));
  const shape = [batch, ...spec.inputShape];
  const pixels = batchPixels(sizeOf(shape));
  let images = pixels.slice();
  const labels = batchLabels(batch, numClasses);
  return {
    prepare() {
      images = pixels.slice();
    },
    async step() {
      const feeds = new Map<string, TensorData>([
        ["image", { dtype: "uint8", shape, data: images }],
        ["target", { dtype: "float32", shape: [batch, numClasses], data: oneHot(labels, numClasses) }],
        ["lr", { dtype: "float32", shape: [], data: Float32Array.of(lr) }],
      ]);
      const outputs = await session.run(feeds, { state, commit: "finite", consume: ["image"] });
      return Number(outputs.get("loss")?.data[0]);
    },
    dispose: () => session.dispose(),
  };
}

async function openInference(spec: WorkSpec, model: Model, backend: Engine, options: WorkOptions): Promise<Work> {
  const { batch, numClasses } = spec;
  const classes = Array.from({ length: numClasses }, (_, i) => String(i));
  const onnx = exportOnnx(model, specOf(model, classes), parityWeights(model));
  const session: Session = await backend.load(onnx, { profile: options.profile });
  const shape = [batch, ...spec.inputShape];
  const images = normalized(batchPixels(sizeOf(shape)), spec);
  let data = images.slice();
  const labels = batchLabels(batch, numClasses);
  return {
    prepare() {
      data = images.slice();
    },
    async step() {
      const feeds = new Map([["image", { dtype: "float32" as const, shape, data }]]);
      const outputs = await session.run(feeds, { consume: ["image"] });
      return crossEntropy(outputs.get("logits")?.data as Float32Array, labels, numClasses);
    },
    dispose: () => session.dispose(),
  };
}

/** (x / 255 - mean) / std; the images of inference are normalised beforehand on all sides. */
export function normalized(pixels: Uint8Array, { inputShape: [c, h, w], mean, std }: WorkSpec): Float32Array {
  return Float32Array.from(pixels, (x, i) => {
    const channel = Math.floor(i / (h * w)) % c;
    return (x / 255 - mean[channel]) / std[channel];
  });
}

/** Mean of -log softmax(logits)[label]. */
export function crossEntropy(logits: Float32Array, labels: readonly number[], classes: number): number {
  const losses = labels.map((label, n) => {
    const row = logits.subarray(n * classes, (n + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    return largest + Math.log(row.reduce((sum, v) => sum + Math.exp(v - largest), 0)) - row[label];
  });
  return losses.reduce((a, b) => a + b) / losses.length;
}
