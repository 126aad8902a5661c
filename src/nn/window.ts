import { concat, constant, type Tensor } from "../graph/tensor.ts";
import type { Size } from "./size.ts";

/** [N, H, W, C] to windows [N · H/h · W/w, h·w, C]: neighbouring pixels together (Swin, figure 2; MaxViT's blocks). */
export function windowPartition(x: Tensor, [h, w]: Size): Tensor {
  const [n, height, width, c] = x.shape;
  const [rows, columns] = [height / h, width / w];
  const tiles = x.reshape([n, rows, h, columns, w, c]).transpose([0, 1, 3, 2, 4, 5]);
  return tiles.reshape([n * rows * columns, h * w, c]);
}

/** Windows back to the map [N, H, W, C]. */
export function windowReverse(windows: Tensor, [h, w]: Size, [height, width]: Size): Tensor {
  const [count, , c] = windows.shape;
  const [rows, columns] = [height / h, width / w];
  const n = count / (rows * columns);
  const tiles = windows.reshape([n, rows, columns, h, w, c]).transpose([0, 1, 3, 2, 4, 5]);
  return tiles.reshape([n, height, width, c]);
}

/** [N, H, W, C] to [N · H/h · W/w, h·w, C]: the h x w pixels that lie H/h and W/w apart together (MaxViT's grids). */
export function gridPartition(x: Tensor, [h, w]: Size): Tensor {
  const [n, height, width, c] = x.shape;
  const [rows, columns] = [height / h, width / w];
  const tiles = x.reshape([n, h, rows, w, columns, c]).transpose([0, 2, 4, 1, 3, 5]);
  return tiles.reshape([n * rows * columns, h * w, c]);
}

/** Grids back to the map [N, H, W, C]. */
export function gridReverse(grids: Tensor, [h, w]: Size, [height, width]: Size): Tensor {
  const [count, , c] = grids.shape;
  const [rows, columns] = [height / h, width / w];
  const n = count / (rows * columns);
  const tiles = grids.reshape([n, rows, columns, h, w, c]).transpose([0, 3, 1, 4, 2, 5]);
  return tiles.reshape([n, height, width, c]);
}

/** Entries moved on by `shift` along an axis, those past the end to the front. */
export function roll(x: Tensor, axis: number, shift: number): Tensor {
  const size = x.shape[axis];
  const front = (((-shift % size) + size) % size) as number;
  if (front === 0) return x;
  const [a, b] = x.split([front, size - front], axis);
  return concat([b, a], axis);
}

/** How a map is cut: windows, moved by a shift. */
export interface WindowLayout {
  window: Size;
  shift: Size;
}

/** Windows no larger than the map; along an axis that one window covers, nothing is to be gained by a shift. */
export function windowLayout(map: Size, window: Size, shifted: boolean): WindowLayout {
  const along = (i: number) => ({ window: Math.min(map[i], window[i]), covers: map[i] <= window[i] });
  const [y, x] = [along(0), along(1)];
  const shift = (i: number, covers: boolean) => (covers || !shifted ? 0 : Math.floor(window[i] / 2));
  return { window: [y.window, x.window], shift: [shift(0, y.covers), shift(1, x.covers)] };
}

/**
 * Attention within shifted windows of a map [N, H, W, C] (Swin, section 3.2 and figure 4): the map is rolled by the
 * shift and padded with zeros to whole windows, f sees [N · windows, h·w, C], and all is undone. f's mask,
 * [windows, 1, h·w, h·w], holds -100 for two pixels of a window that the roll brought together; absent without shift.
 */
export function inWindows(
  x: Tensor,
  { window, shift }: WindowLayout,
  f: (windows: Tensor, mask?: Tensor) => Tensor,
): Tensor {
  const [, height, width] = x.shape;
  const padded: Size = [Math.ceil(height / window[0]) * window[0], Math.ceil(width / window[1]) * window[1]];
  const rolled = roll(roll(x, 1, -shift[0]), 2, -shift[1]).pad([
    [0, 0],
    [0, padded[0] - height],
    [0, padded[1] - width],
    [0, 0],
  ]);
  const mask = shift[0] || shift[1] ? shiftMask(padded, { window, shift }) : undefined;
  const y = windowReverse(f(windowPartition(rolled, window), mask), window, padded);
  return roll(roll(y.slice(1, 0, height).slice(2, 0, width), 1, shift[0]), 2, shift[1]);
}

/** Pixels of a window attend to each other where their regions, of the three bands along each axis, are the same. */
function shiftMask([height, width]: Size, { window, shift }: WindowLayout): Tensor {
  const band = (i: number, size: number, axis: 0 | 1): number =>
    shift[axis] === 0 ? 0 : Number(i >= size - window[axis]) + Number(i >= size - shift[axis]);
  const regions = Array.from(
    { length: height * width },
    (_, i) => 3 * band(Math.floor(i / width), height, 0) + band(i % width, width, 1),
  );
  const ids = windowPartition(constant(regions, [1, height, width, 1]), window); // [windows, h·w, 1]
  const [windows, length] = ids.shape;
  const same = ids.reshape([windows, 1, length, 1]).equal(ids.reshape([windows, 1, 1, length]));
  return same.cast("float32").sub(1).mul(100);
}
