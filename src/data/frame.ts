import type { PixelImage } from "./image.ts";
import type { Random } from "./random.ts";
import { type Rect, type ResizeFilter, resizePlanar } from "./resize.ts";

/**
 * Where a sample's pixels come from, before any is touched: `box` of the source is resized to `width` by `height`,
 * of which the window at (x, y), of the transform's output size, is kept, mirrored if `flip`. Augmentations that move
 * the image change the frame, so crop, resize, pad and flip cost one pass.
 */
export interface Frame {
  /** Integer part of the source. */
  box: Rect;
  width: number;
  height: number;
  /** May be negative or reach past the result: there the output is black. */
  x: number;
  y: number;
  filter: ResizeFilter;
  flip: boolean;
}

/** What an augmentation is told of the sample. */
export interface FrameContext {
  /** Source size. */
  width: number;
  height: number;
  /** Output [height, width]. */
  size: readonly [number, number];
}

/** Planar pixels [C, H, W]. */
export interface PlanarImage {
  data: Uint8Array;
  channels: number;
  width: number;
  height: number;
}

/** An augmentation: one file in augment/ and one line in its table. It has one of the two hooks, or both. */
export interface Augmentation<Config> {
  /** Moves the frame; runs before the resize. */
  frame?(frame: Frame, config: Config, random: Random, context: FrameContext): Frame;
  /** Changes pixels in place; runs after it. */
  pixels?(image: PlanarImage, config: Config, random: Random): void;
}

/** The whole image squeezed to `size`. */
export function wholeFrame({ width, height, size }: FrameContext, filter: ResizeFilter): Frame {
  const box = { x: 0, y: 0, width, height };
  return { box, width: size[1], height: size[0], x: 0, y: 0, filter, flip: false };
}

/** The frame's pixels, planar [C, H, W], into `out`. */
export function renderFrame(image: PixelImage, frame: Frame, size: readonly [number, number], out: Uint8Array): void {
  const { box, width, height, x, y, filter, flip } = frame;
  const window = { x, y, width: size[1], height: size[0] };
  resizePlanar(image, { width, height, filter, box, clip: true, window, flip }, out);
}
