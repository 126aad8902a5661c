import { grad } from "../autodiff/grad.ts";
import { keyed } from "../data/random.ts";
import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import { program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import type { TensorData } from "../graph/types.ts";
import type { LinearClassifier } from "../models/features.ts";
import { lbfgs } from "../optim/lbfgs.ts";
import type { Backend } from "../runtime/backend.ts";
import { oneHot } from "./loss.ts";
import { Meter } from "./metrics.ts";

/** Features of images, one row each. */
export interface FeatureSet {
  /** [count, dim]. */
  readonly values: Float32Array;
  readonly dim: number;
  /** Class of each row. */
  readonly labels: Int32Array;
}

export interface ProbeOptions {
  readonly classes: number;
  /** Of the folds. Default 0. */
  readonly seed?: number;
  /** Folds of the cross-validation. Default 5. */
  readonly folds?: number;
  /** Weight decays to choose from; default 10^2 to 10^-5 in half decades. */
  readonly decays?: readonly number[];
}

export interface Probe extends LinearClassifier {
  /** The weight decay that cross-validation chose. */
  readonly decay: number;
  /** Mean cross-entropy and top-1 (0 to 100) of the held-out folds, at that decay. */
  readonly crossValidated: { readonly loss: number; readonly top1: number };
}

const DECAYS = Array.from({ length: 15 }, (_, i) => 10 ** (2 - i / 2));
/** Weaker decays are not tried once so many in a row were worse than the best. */
const WORSE = 3;

/**
 * A linear classifier on frozen features: multinomial logistic regression by L-BFGS on standardised features, its weight
 * decay chosen by the cross-entropy of stratified cross-validation (as Kornblith et al. 2019, arXiv:1805.08974, appendix).
 */
export async function fitProbe(backend: Backend, set: FeatureSet, options: ProbeOptions): Promise<Probe> {
  const { classes, seed = 0, decays = DECAYS } = options;
  const { mean, scale } = moments(set);
  const solver = await createSolver(backend, { ...set, values: standardised(set, mean, scale) }, classes);
  try {
    const fold = foldsOf(set.labels, Math.min(options.folds ?? 5, set.labels.length), seed);
    const decay = decays.length > 1 ? await chosen(solver, set, { classes, decays, fold }) : undefined;
    const best = decay ?? { decay: decays[0], loss: Number.NaN, top1: Number.NaN };
    // Along the path of decays: each solution is the start of the next.
    let x: Float64Array | undefined;
    for (const d of decays.filter((v) => v >= best.decay)) x = await solver.solve(() => true, d, x);
    const { decay: kept, ...crossValidated } = best;
    return { ...unstandardised(x as Float64Array, { classes, mean, scale }), decay: kept, crossValidated };
  } finally {
    await solver.dispose();
  }
}

async function chosen(
  solver: Solver,
  { labels }: FeatureSet,
  { classes, decays, fold }: { classes: number; decays: readonly number[]; fold: Int32Array },
) {
  const count = Math.max(...fold) + 1;
  const starts: (Float64Array | undefined)[] = Array(count).fill(undefined);
  let best: { decay: number; loss: number; top1: number } | undefined;
  let worse = 0;
  for (const decay of decays) {
    const meter = new Meter();
    for (let k = 0; k < count; k++) {
      starts[k] = await solver.solve((i) => fold[i] !== k, decay, starts[k]);
      const held = labels.map((label, i) => (fold[i] === k ? label : -1));
      meter.add(await solver.logits(starts[k] as Float64Array), held, classes);
    }
    const { loss, top1 } = meter.metrics;
    worse = best && loss >= best.loss ? worse + 1 : 0;
    if (!best || loss < best.loss) best = { decay, loss, top1 };
    if (worse === WORSE) break;
  }
  return best as { decay: number; loss: number; top1: number };
}

/** Logits [count, classes] of features. */
export function probeLogits({ weight, bias }: LinearClassifier, { values, dim }: Pick<FeatureSet, "values" | "dim">) {
  const [count, classes] = [values.length / dim, bias.length];
  const out = new Float32Array(count * classes);
  for (let i = 0; i < out.length; i++) {
    const [row, k] = [Math.floor(i / classes) * dim, i % classes];
    let sum = bias[k];
    for (let j = 0; j < dim; j++) sum += weight[k * dim + j] * values[row + j];
    out[i] = sum;
  }
  return out;
}

interface Solver {
  /** The classifier [W; b] of the rows that `use` picks, from a start. */
  solve(use: (row: number) => boolean, decay: number, start?: Float64Array): Promise<Float64Array>;
  /** Of every row. */
  logits(x: Float64Array): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Loss, its gradient and all logits as one program; the features stay where it runs. */
async function createSolver(backend: Backend, { values, dim, labels }: FeatureSet, classes: number): Promise<Solver> {
  const count = labels.length;
  const [x, target] = [input("x", "float32", [count, dim]), input("target", "float32", [count, classes])];
  const [weight, bias] = [input("weight", "float32", [classes, dim]), input("bias", "float32", [classes])];
  const [share, decay] = [input("share", "float32", [count, 1]), input("decay", "float32", [])];
  const logits = x.gemm(weight, bias, { transB: 1 });
  const loss = target
    .mul(logits.logSoftmax(1))
    .mul(share)
    .sum()
    .neg()
    .add(weight.sumSquare().mul(decay.mul(0.5)));
  const [dWeight, dBias] = grad(loss, [weight, bias]);
  const outputs = new Map([
    ["loss", loss],
    ["d_weight", dWeight],
    ["d_bias", dBias],
    ["logits", logits],
  ]);
  const session = await backend.load(encodeModel(optimize(program("probe", outputs))));
  const state = await backend.createState(
    new Map<string, TensorData>([
      ["x", { dtype: "float32", shape: [count, dim], data: values }],
      ["target", { dtype: "float32", shape: [count, classes], data: oneHot(labels, classes) }],
    ]),
  );
  const size = classes * dim;
  const run = (at: Float64Array, part: Float32Array, d: number) =>
    session.run(
      new Map<string, TensorData>([
        ["weight", { dtype: "float32", shape: [classes, dim], data: Float32Array.from(at.subarray(0, size)) }],
        ["bias", { dtype: "float32", shape: [classes], data: Float32Array.from(at.subarray(size)) }],
        ["share", { dtype: "float32", shape: [count, 1], data: part }],
        ["decay", { dtype: "float32", shape: [], data: Float32Array.of(d) }],
      ]),
      { state },
    );
  const values64 = (t: TensorData | undefined) => Float64Array.from((t as TensorData).data as Float32Array);
  return {
    async solve(use, decay, start = new Float64Array(size + classes)) {
      const used = labels.map((_, i) => Number(use(i))).reduce((a, b) => a + b, 0);
      const share = Float32Array.from({ length: count }, (_, i) => Number(use(i)) / used);
      const objective = async (at: Float64Array) => {
        const found = await run(at, share, decay);
        const gradient = new Float64Array(size + classes);
        gradient.set(values64(found.get("d_weight")));
        gradient.set(values64(found.get("d_bias")), size);
        return { value: Number(found.get("loss")?.data[0]), gradient };
      };
      return (await lbfgs(objective, start, { steps: 100, tolerance: 1e-4 })).x;
    },
    logits: async (at) => (await run(at, new Float32Array(count), 0)).get("logits")?.data as Float32Array,
    dispose: async () => {
      await session.dispose();
      await state.dispose();
    },
  };
}

/** Mean and 1 / deviation of each feature; 0 for one that is constant. */
function moments({ values, dim, labels }: FeatureSet) {
  const count = labels.length;
  const mean = new Float64Array(dim);
  const square = new Float64Array(dim);
  for (let i = 0; i < values.length; i++) mean[i % dim] += values[i] / count;
  for (let i = 0; i < values.length; i++) square[i % dim] += (values[i] - mean[i % dim]) ** 2 / count;
  return { mean, scale: square.map((v) => (v > 1e-12 ? 1 / Math.sqrt(v) : 0)) };
}

const standardised = ({ values, dim }: FeatureSet, mean: Float64Array, scale: Float64Array): Float32Array =>
  values.map((v, i) => (v - mean[i % dim]) * scale[i % dim]);

/** W·((x - μ) ⊙ s) + b = (W ⊙ s)·x + (b - (W ⊙ s)·μ). */
function unstandardised(
  x: Float64Array,
  { classes, mean, scale }: { classes: number; mean: Float64Array; scale: Float64Array },
): LinearClassifier {
  const dim = mean.length;
  const weight = Float32Array.from({ length: classes * dim }, (_, i) => x[i] * scale[i % dim]);
  const bias = Float32Array.from({ length: classes }, (_, k) => {
    let sum = x[classes * dim + k];
    for (let j = 0; j < dim; j++) sum -= x[k * dim + j] * scale[j] * mean[j];
    return sum;
  });
  return { weight, bias };
}

/** Fold of each row: every class is dealt out evenly, in an order of the seed. */
function foldsOf(labels: Int32Array, folds: number, seed: number): Int32Array {
  const order = [...labels.keys()]
    .map((i) => ({ i, rank: keyed(seed, "fold", i).uniform() }))
    .sort((a, b) => labels[a.i] - labels[b.i] || a.rank - b.rank);
  const fold = new Int32Array(labels.length);
  order.forEach(({ i }, place) => {
    fold[i] = place % folds;
  });
  return fold;
}
