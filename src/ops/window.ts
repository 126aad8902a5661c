import { TesseraeError } from "../errors.ts";
import { type Shape, showShape } from "../graph/types.ts";

/** Where sliding windows lie on the two spatial axes of an image: what convolution and pooling share. */
export interface Window {
  /** [kH, kW]. */
  readonly kernel: readonly [number, number];
  readonly strides: readonly number[];
  /** [top, left, bottom, right]. */
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  /** Count windows that start inside the image and end outside? */
  readonly ceil: boolean;
}

export interface WindowAttrs {
  readonly strides?: readonly number[];
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly ceil_mode?: number;
}

export const windowOf = (kernel: readonly number[], attrs: WindowAttrs): Window => ({
  kernel: [kernel[0], kernel[1]],
  strides: attrs.strides ?? [1, 1],
  pads: attrs.pads ?? [0, 0, 0, 0],
  dilations: attrs.dilations ?? [1, 1],
  ceil: Boolean(attrs.ceil_mode),
});

/** Pixels from the first to the last tap of a window along axis i, both included: dilation·(k - 1) + 1. */
export const extent = ({ kernel, dilations }: Window, i: number): number => dilations[i] * (kernel[i] - 1) + 1;

/**
 * Windows along axis i: floor((size + pads - extent) / stride) + 1. Rounding up instead adds the window that
 * the image ends in, but never one that starts in the padding after it.
 */
function windowsAlong(size: number, i: number, window: Window): number {
  const { strides, pads, ceil } = window;
  const room = size + pads[i] + pads[i + 2] - extent(window, i);
  if (!ceil) return Math.floor(room / strides[i]) + 1;
  const n = Math.ceil(room / strides[i]) + 1;
  return (n - 1) * strides[i] >= size + pads[i] ? n - 1 : n;
}

/** [h, w]: how many windows an image [N, C, H, W] has. */
export function windowCounts(x: Shape, window: Window): readonly [number, number] {
  const [h, w] = [windowsAlong(x[2], 0, window), windowsAlong(x[3], 1, window)];
  if (h < 1 || w < 1)
    throw new TesseraeError("shape", `a window of ${window.kernel.join("x")} does not fit images ${showShape(x)}`);
  return [h, w];
}
