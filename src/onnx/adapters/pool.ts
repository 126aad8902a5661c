import type { Attrs } from "../../graph/op.ts";
import { apply, type Tensor } from "../../graph/tensor.ts";
import { type Adapter, type Adapters, type Call, Refusal } from "../call.ts";

/** Strides, dilations and pads of a window over images, with auto_pad settled for the image at hand. */
function windowOf(c: Call, kernel: readonly number[]): { strides: number[]; pads: number[]; dilations: number[] } {
  if (c.in(0).rank !== 4 || kernel.length !== 2) throw new Refusal(`${c.op} of a rank other than images'`);
  const strides = [...(c.ints("strides") ?? [1, 1])];
  const dilations = [...(c.ints("dilations") ?? [1, 1])];
  const auto = c.string("auto_pad", "NOTSET");
  if (auto === "NOTSET") return { strides, dilations, pads: [...(c.ints("pads") ?? [0, 0, 0, 0])] };
  if (auto === "VALID") return { strides, dilations, pads: [0, 0, 0, 0] };
  // SAME: ceil(size / stride) windows; an odd pixel goes after (UPPER) or before (LOWER).
  const total = [0, 1].map((i) => {
    const size = c.in(0).shape[i + 2];
    const reach = dilations[i] * (kernel[i] - 1) + 1;
    return Math.max((Math.ceil(size / strides[i]) - 1) * strides[i] + reach - size, 0);
  });
  const small = total.map((t) => Math.floor(t / 2));
  const large = total.map((t, i) => t - small[i]);
  return { strides, dilations, pads: auto === "SAME_LOWER" ? [...large, ...small] : [...small, ...large] };
}

function conv(c: Call): Tensor {
  const w = c.in(1);
  const window = windowOf(c, w.shape.slice(2));
  if (window.pads.some((p) => p < 0)) throw new Refusal("Conv with negative pads");
  return apply("Conv", operands(c), { ...window, group: c.int("group", 1) });
}

const operands = (c: Call): readonly Tensor[] => (c.x[2] ? [c.in(0), c.in(1), c.in(2)] : [c.in(0), c.in(1)]);

function convTranspose(c: Call): Tensor {
  const auto = c.string("auto_pad", "NOTSET");
  if ((auto !== "NOTSET" && auto !== "VALID") || c.has("output_shape"))
    throw new Refusal("ConvTranspose that derives its pads from an output size");
  const window = windowOf(c, c.in(1).shape.slice(2));
  const attrs: Attrs = { ...window, group: c.int("group", 1), output_padding: c.ints("output_padding") };
  return apply("ConvTranspose", operands(c), attrs);
}

const pool =
  (more: (c: Call) => Attrs): Adapter =>
  (c) => {
    const kernel_shape = c.ints("kernel_shape") ?? [];
    const { strides, pads, dilations } = windowOf(c, kernel_shape);
    if (dilations.some((d) => d !== 1)) throw new Refusal(`${c.op} with dilations`);
    if (c.outputs > 1) throw new Refusal(`${c.op} that gives its indices`);
    const all = pads.every((p) => p === 0) && kernel_shape.every((k, i) => k === c.in(0).shape[i + 2]);
    if (all) return c.op === "MaxPool" ? c.in(0).amax([2, 3], true) : c.in(0).mean([2, 3], true);
    return apply(c.op, [c.in(0)], { kernel_shape, strides, pads, ceil_mode: c.int("ceil_mode", 0), ...more(c) });
  };

const space = (x: Tensor): number[] => x.shape.map((_, i) => i).slice(2);

export const pools: Adapters = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool(() => ({})),
  AveragePool: pool((c) => ({ count_include_pad: c.int("count_include_pad", 0) })),
  GlobalAveragePool: (c) => c.in(0).mean(space(c.in(0)), true),
  GlobalMaxPool: (c) => c.in(0).amax(space(c.in(0)), true),
};
