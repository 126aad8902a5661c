import { encodeModel } from "../graph/onnx.ts";
import { program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import type { TensorData } from "../graph/types.ts";
import type { Backend } from "../runtime/backend.ts";
import { Meter, type Metrics } from "./metrics.ts";
import type { FeatureSet } from "./probe.ts";

export interface KnnOptions {
  readonly classes: number;
  /** Neighbours that vote. */
  readonly k: number;
  /** A vote weighs exp(cosine / temperature), as DINO's (Wu et al. 2018, section 3.4); absent: one vote each. */
  readonly temperature?: number;
}

/** Rows of a product at a time. */
const ROWS = 128;

/** Mean of the rows. */
function meanRow({ values, dim }: Pick<FeatureSet, "values" | "dim">): Float64Array {
  const mean = new Float64Array(dim);
  for (let i = 0; i < values.length; i++) mean[i % dim] += (values[i] * dim) / values.length;
  return mean;
}

/** Rows, less `centre`, of length 1; a row of zeros stays one. */
function unitRows({ values, dim }: Pick<FeatureSet, "values" | "dim">, centre: Float64Array): Float32Array {
  const out = values.map((v, i) => v - centre[i % dim]);
  for (let at = 0; at < out.length; at += dim) {
    let square = 0;
    for (let j = at; j < at + dim; j++) square += out[j] * out[j];
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let j = at; j < at + dim; j++) out[j] *= scale;
  }
  return out;
}

/**
 * Classifies each row of `queries` by the k rows of `bank` of the largest cosine, both taken from the bank's mean (Wang
 * et al. 2019, arXiv:1911.04623, "CL2N"). Equal votes go to the class whose neighbours are nearer.
 */
export async function knn(
  backend: Backend,
  bank: FeatureSet,
  queries: FeatureSet,
  options: KnnOptions,
): Promise<Metrics> {
  const { classes } = options;
  const { dim } = bank;
  const [n, rows] = [bank.labels.length, Math.min(ROWS, queries.labels.length)];
  const similarity = input("query", "float32", [rows, dim]).gemm(input("bank", "float32", [n, dim]), undefined, {
    transB: 1,
  });
  const session = await backend.load(encodeModel(program("knn", new Map([["similarity", similarity]]))));
  const centre = meanRow(bank);
  const units = unitRows(bank, centre);
  const state = await backend.createState(new Map([["bank", { dtype: "float32", shape: [n, dim], data: units }]]));
  const wanted = unitRows(queries, centre);
  const meter = new Meter();
  try {
    for (let first = 0; first < queries.labels.length; first += rows) {
      const data = new Float32Array(rows * dim);
      data.set(wanted.subarray(first * dim, (first + rows) * dim));
      const feeds = new Map<string, TensorData>([["query", { dtype: "float32", shape: [rows, dim], data }]]);
      const found = (await session.run(feeds, { state })).get("similarity")?.data as Float32Array;
      const labels = queries.labels.subarray(first, first + rows);
      const votes = new Float32Array(labels.length * classes);
      for (let i = 0; i < labels.length; i++)
        votes.set(votesOf(found.subarray(i * n, (i + 1) * n), bank.labels, options), i * classes);
      meter.add(votes, labels, classes);
    }
  } finally {
    await session.dispose();
    await state.dispose();
  }
  return meter.metrics;
}

/** log of each class's share of the votes, so that it reads as logits; the nearest breaks ties. */
function votesOf(similarities: Float32Array, labels: Int32Array, { classes, k, temperature }: KnnOptions) {
  const nearest = largest(similarities, k);
  const best = similarities[nearest[0]];
  const votes = new Float64Array(classes);
  nearest.forEach((i, place) => {
    const weight = temperature === undefined ? 1 : Math.exp((similarities[i] - best) / temperature);
    votes[labels[i]] += weight * (1 + 1e-6 * (nearest.length - place));
  });
  const total = votes.reduce((a, b) => a + b, 0);
  // Classes without a vote are as likely as one vote in a thousand.
  return Float32Array.from(votes, (v) => Math.log(Math.max(v / total, 1e-3 / nearest.length)));
}

/** Indices of the k largest, best first; of equals the earlier. */
export function largest(values: Float32Array, k: number): number[] {
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (kept.length === k && values[i] <= values[kept[k - 1]]) continue;
    let at = kept.length;
    while (at > 0 && values[kept[at - 1]] < values[i]) at--;
    kept.splice(at, 0, i);
    if (kept.length > k) kept.pop();
  }
  return kept;
}
