import type { Tensor } from "../graph/tensor.ts";
import { defaultBias, defaultWeight } from "./init.ts";
import { type Init, module, parameter } from "./module.ts";
import { pair, type Size } from "./size.ts";

export interface ConvOptions {
  stride?: number | Size;
  /** Pixels on every side; "same" pads as TensorFlow does (output = ceil(input / stride)); default kernel / 2. */
  padding?: number | Size | "same";
  dilation?: number;
  groups?: number;
  bias?: boolean;
  weightInit?: Init;
  biasInit?: Init;
}

/** TensorFlow's "same" padding of one axis, before and after: the odd pixel goes behind. */
export function samePadding(size: number, kernel: number, stride: number, dilation = 1): readonly [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** ONNX pads [top, left, bottom, right] of an image [.., H, W]. */
export function padsFor(
  x: Tensor,
  kernel: Size,
  stride: Size,
  padding: ConvOptions["padding"],
  dilation = 1,
): number[] {
  if (padding === "same") {
    const [top, bottom] = samePadding(x.shape[2], kernel[0], stride[0], dilation);
    const [left, right] = samePadding(x.shape[3], kernel[1], stride[1], dilation);
    return [top, left, bottom, right];
  }
  const [y, z] = pair(
    padding ?? [Math.floor((dilation * (kernel[0] - 1)) / 2), Math.floor((dilation * (kernel[1] - 1)) / 2)],
  );
  return [y, z, y, z];
}

/** Convolution of [N, in, H, W], weight [out, in / groups, kH, kW]. */
export const conv2d = (inChans: number, out: number, kernel: number | Size, options: ConvOptions = {}) => {
  const { stride = 1, padding, dilation = 1, groups = 1, bias = true, weightInit, biasInit } = options;
  const [k, s] = [pair(kernel), pair(stride)];
  const fanIn = (inChans / groups) * k[0] * k[1];
  return module(
    {
      weight: parameter([out, inChans / groups, ...k], weightInit ?? defaultWeight),
      bias: bias ? parameter([out], biasInit ?? defaultBias(fanIn)) : undefined,
    },
    (m, x: Tensor) => convolve(x, m.weight, m.bias, { stride: s, padding, dilation, groups }),
  );
};

/** The convolution itself, for layers that compute their weights (weight standardisation). */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { stride = 1, padding, dilation = 1, groups = 1 }: Pick<ConvOptions, "stride" | "padding" | "dilation" | "groups">,
): Tensor {
  const kernel: Size = [weight.shape[2], weight.shape[3]];
  const strides = pair(stride);
  return x.conv(weight, bias, {
    strides,
    pads: padsFor(x, kernel, strides, padding, dilation),
    dilations: [dilation, dilation],
    group: groups,
  });
}
