import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import { program } from "../graph/program.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { type ModelSpec, modelOf } from "../models/spec.ts";
import { imageInput, traceModule, type Weights } from "../models/trace.ts";
import type { Backend, State } from "../runtime/backend.ts";

/** A trained model that figures are drawn of. */
export interface Subject {
  readonly model: Model;
  readonly weights: Weights;
  /** Names of the classes. */
  readonly classes: readonly string[];
  readonly backend: Backend;
  /** The weights on the device. */
  readonly state: State;
}

/** Puts weights on a backend for figures; `dispose` the subject's state when done. */
export async function createSubject(spec: ModelSpec, weights: Weights, backend: Backend): Promise<Subject> {
  const classes = spec.descriptions ?? spec.classes;
  return { model: modelOf(spec), weights, classes, backend, state: await backend.createState(weights) };
}

/** A model in evaluation with every inner tensor at hand. */
export interface Inside {
  /** float32 [n, C, H, W], normalised. */
  readonly image: Tensor;
  /** [n, classes], or features [n, D] of a model without a classifier. */
  readonly logits: Tensor;
  /** The summed logits of each image's class: its gradient with respect to an inner tensor is one image's each. */
  readonly score: Tensor;
  /** Inner tensors by name: "blocks.0.attn.probs". */
  readonly taps: ReadonlyMap<string, Tensor>;
  /** What modules gave, by path. */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** Traces a model for `batch` images. */
export function inside(model: Model, batch: number): Inside {
  const image = imageInput(model, batch);
  const { output: logits, taps, outputs } = traceModule(model.forward, image, { training: false, source: "inputs" });
  const score = logits.mul(input("class", "float32", logits.shape)).sum();
  return { image, logits, score, taps, outputs };
}

/** Images of one run, and the class of each. */
export interface Question {
  /** Normalised [n, C, H, W]. */
  readonly images: Float32Array;
  readonly classes: readonly number[];
}

export type Answer = ReadonlyMap<string, TensorData>;

/** A program over the inside of a model, loaded. */
export interface Inquiry {
  /** Of the subject's weights, or others of the same names. */
  ask(question: Question, weights?: State): Promise<Answer>;
  dispose(): Promise<void>;
}

/** Loads what `select` wants of the inside of a model. Throws what `select` throws. */
export async function inquire(
  { model, backend, state }: Subject,
  batch: number,
  select: (of: Inside) => ReadonlyMap<string, Tensor>,
): Promise<Inquiry> {
  const of = inside(model, batch);
  const scores = of.logits.shape[1];
  const wanted = program("explain", select(of));
  const named = new Set(wanted.inputs.map((t) => t.node.attrs.name as string));
  const session = await backend.load(encodeModel(optimize(wanted)));
  return {
    async ask({ images, classes }, weights = state) {
      const target = new Float32Array(batch * scores);
      classes.forEach((k, i) => {
        target[i * scores + k] = 1;
      });
      const feeds = new Map<string, TensorData>();
      if (named.has("image"))
        feeds.set("image", { dtype: "float32", shape: [batch, ...model.inputShape], data: images });
      if (named.has("class")) feeds.set("class", { dtype: "float32", shape: [batch, scores], data: target });
      return session.run(feeds, { state: weights });
    },
    dispose: () => session.dispose(),
  };
}

/** One question. */
export async function answer(
  subject: Subject,
  question: Question,
  select: (of: Inside) => ReadonlyMap<string, Tensor>,
): Promise<Answer> {
  const batch = question.images.length / sizeOf(subject.model.inputShape);
  const inquiry = await inquire(subject, batch, select);
  try {
    return await inquiry.ask(question);
  } finally {
    await inquiry.dispose();
  }
}

/** A float32 answer. */
export const floats = (of: Answer, name: string): Float32Array => (of.get(name) as TensorData).data as Float32Array;

/** One float32 answer for each of many inputs [C, H, W] of one class, `batch` at a time. */
export async function askEach(
  inquiry: Inquiry,
  batch: number,
  inputs: readonly Float32Array[],
  target: number,
  name: string,
): Promise<Float32Array[]> {
  const out: Float32Array[] = [];
  for (let start = 0; start < inputs.length; start += batch) {
    const part = inputs.slice(start, start + batch);
    const size = part[0].length;
    const images = new Float32Array(batch * size);
    part.forEach((x, i) => {
      images.set(x, i * size);
    });
    const all = floats(await inquiry.ask({ images, classes: Array(batch).fill(target) }), name);
    const each = all.length / batch;
    part.forEach((_, i) => {
      out.push(all.subarray(i * each, (i + 1) * each));
    });
  }
  return out;
}
