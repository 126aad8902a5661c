import type { Loader } from "../data/loader.ts";
import { encodeModel } from "../graph/onnx.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import type { ModelSpec } from "../models/spec.ts";
import {
  addedUp,
  type ChannelSums,
  chosenRange,
  count,
  emptyHistogram,
  type Histogram,
  type Observed,
  type Range,
  type RangeMethod,
  widened,
} from "../quantize/ranges.ts";
import type { Plan } from "../quantize/static.ts";
import type { Backend, Tensors } from "../runtime/backend.ts";
import { normalized } from "../train/predictor.ts";

export interface CalibrateOptions {
  readonly method: RangeMethod;
  readonly onBatch?: (done: number, total: number) => void;
}

/**
 * The range and the channels' means of every tensor of a plan over a loader's images. Methods other than "minmax" look at them twice: once for
 * the ends, once for what lies between. Throws TesseraeError("model") where a value is no number.
 */
export async function calibrate(
  plan: Plan,
  spec: ModelSpec,
  loader: Loader,
  backend: Backend,
  { method, onBatch }: CalibrateOptions,
): Promise<Map<string, Observed>> {
  const session = await backend.load(encodeModel(plan.observed), { memoryPlan: false });
  const passes = method === "minmax" ? 1 : 2;
  const ranges = new Map<string, Range>();
  const sums = new Map<string, ChannelSums>();
  const observed = (range: (name: string) => Range): Map<string, Observed> =>
    new Map([...sums].map(([name, s]) => [name, { ...range(name), means: s.sums.map((v) => v / s.count) }]));
  try {
    const pass = async (index: number, see: (name: string, t: TensorData) => void): Promise<void> => {
      let done = index * loader.batchesPerEpoch;
      for await (const { images, count: present } of loader.epoch(0)) {
        const used = images.subarray(0, present * sizeOf(spec.inputShape));
        if (present > 0) for (const [name, t] of await run(used)) see(name, t);
        onBatch?.(++done, passes * loader.batchesPerEpoch);
      }
    };
    const run = (images: Uint8Array): Promise<Tensors> => {
      const data = normalized(images, spec);
      const shape = [data.length / sizeOf(spec.inputShape), ...spec.inputShape];
      return session.run(new Map([["image", { dtype: "float32" as const, shape, data }]]));
    };
    await pass(0, (name, t) => {
      ranges.set(name, widened(ranges.get(name), t.data as Float32Array));
      sums.set(name, addedUp(sums.get(name), t));
    });
    if (method === "minmax") return observed((name) => ranges.get(name) as Range);
    const histograms = new Map([...ranges].map(([name, range]) => [name, emptyHistogram(range)] as const));
    await pass(1, (name, { data }) => {
      const histogram = histograms.get(name);
      if (histogram) count(histogram, data as Float32Array);
    });
    return observed((name) => chosenRange(histograms.get(name) as Histogram, method));
  } finally {
    await session.dispose();
  }
}
