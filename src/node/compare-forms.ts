import type { Loader } from "../data/loader.ts";
import type { OnnxModel } from "../graph/onnx.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import { median } from "../median.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Backend, Session } from "../runtime/backend.ts";
import { probabilities, topK } from "../train/metrics.ts";
import { normalized } from "../train/predictor.ts";

/** A form of a model to be compared. */
export interface Candidate {
  readonly form: string;
  readonly onnx: OnnxModel;
  /** On disk. */
  readonly bytes: number;
}

/** What a form is worth beside the first one. */
export interface Comparison {
  readonly form: string;
  readonly bytes: number;
  /** Images whose best class is the first form's, in percent. */
  readonly agreement: number;
  /** Largest differences over all images and classes. */
  readonly logits: number;
  readonly probability: number;
  /** Milliseconds for one image: the median, of forms run in turn. */
  readonly milliseconds: number;
}

/**
 * Runs every form on the same images, one image at a time and one form after the other, and holds it against the first.
 * A loader of batches of one.
 */
export async function compareForms(
  candidates: readonly Candidate[],
  spec: ModelSpec,
  loader: Loader,
  backend: Backend,
  onImage?: (done: number, total: number) => void,
): Promise<Comparison[]> {
  const sessions: Session[] = [];
  try {
    for (const { onnx } of candidates) sessions.push(await backend.load(onnx));
    const sums = candidates.map(() => ({ same: 0, logits: 0, probability: 0, times: [] as number[] }));
    let images = 0;
    for await (const { images: pixels, count } of loader.epoch(0)) {
      if (count === 0) continue;
      const rows: Float32Array[] = [];
      for (const [i, session] of sessions.entries()) {
        const started = performance.now();
        rows.push(await logitsOf(session, pixels, spec));
        sums[i].times.push(performance.now() - started);
      }
      rows.forEach((row, i) => {
        const [p, q] = [probabilities(row), probabilities(rows[0])];
        sums[i].same += Number(topK(row, 1)[0] === topK(rows[0], 1)[0]);
        sums[i].logits = Math.max(sums[i].logits, distance(row, rows[0]));
        sums[i].probability = Math.max(sums[i].probability, distance(p, q));
      });
      onImage?.(++images, loader.batchesPerEpoch);
    }
    return candidates.map(({ form, bytes }, i) => {
      const { same, logits, probability, times } = sums[i];
      return {
        form,
        bytes,
        agreement: (100 * same) / Math.max(1, images),
        logits,
        probability,
        milliseconds: median(times),
      };
    });
  } finally {
    for (const session of sessions) await session.dispose();
  }
}

async function logitsOf(session: Session, pixels: Uint8Array, spec: ModelSpec): Promise<Float32Array> {
  const data = normalized(pixels, spec);
  const shape = [data.length / sizeOf(spec.inputShape), ...spec.inputShape];
  const outputs = await session.run(new Map([["image", { dtype: "float32" as const, shape, data }]]));
  return (outputs.get("logits") as TensorData).data as Float32Array;
}

/** Largest difference of two rows; a number that is none counts as infinitely far. */
function distance(a: Float32Array, b: Float32Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i] - b[i]);
    if (!(d <= most)) most = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
  }
  return most;
}
