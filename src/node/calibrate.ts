import type { Loader } from "../data/loader.ts";
import { encodeModel } from "../graph/onnx.ts";
import { sizeOf } from "../graph/types.ts";
import type { ModelSpec } from "../models/spec.ts";
import { chosenRange, count, emptyHistogram, type Range, type RangeMethod, widened } from "../quantize/ranges.ts";
import type { Plan } from "../quantize/static.ts";
import type { Backend, Tensors } from "../runtime/backend.ts";
import { normalized } from "../train/predictor.ts";

export interface CalibrateOptions {
  readonly method: RangeMethod;
  readonly onBatch?: (done: number, total: number) => void;
}

/**
 * The range of every tensor of a plan over a loader's images. Methods other than "minmax" look at them twice: once for
 * the ends, once for what lies between. Throws TesseraeError("model") where a value is no number.
 */
export async function calibrate(
  plan: Plan,
  spec: ModelSpec,
  loader: Loader,
  backend: Backend,
  { method, onBatch }: CalibrateOptions,
): Promise<Map<string, Range>> {
  const session = await backend.load(encodeModel(plan.observed), { memoryPlan: false });
  const passes = method === "minmax" ? 1 : 2;
  const ranges = new Map<string, Range>();
  try {
    const pass = async (index: number, see: (name: string, values: Float32Array) => void): Promise<void> => {
      let done = index * loader.batchesPerEpoch;
      for await (const { images, count: present } of loader.epoch(0)) {
        const used = images.subarray(0, present * sizeOf(spec.inputShape));
        if (present > 0) for (const [name, { data }] of await run(used)) see(name, data as Float32Array);
        onBatch?.(++done, passes * loader.batchesPerEpoch);
      }
    };
    const run = (images: Uint8Array): Promise<Tensors> => {
      const data = normalized(images, spec);
      const shape = [data.length / sizeOf(spec.inputShape), ...spec.inputShape];
      return session.run(new Map([["image", { dtype: "float32" as const, shape, data }]]));
    };
    await pass(0, (name, values) => void ranges.set(name, widened(ranges.get(name), values)));
    if (method === "minmax") return ranges;
    const histograms = new Map([...ranges].map(([name, range]) => [name, emptyHistogram(range)] as const));
    await pass(1, (name, values) => {
      const histogram = histograms.get(name);
      if (histogram) count(histogram, values);
    });
    return new Map([...histograms].map(([name, histogram]) => [name, chosenRange(histogram, method)]));
  } finally {
    await session.dispose();
  }
}
