import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import "../ops/index.ts";
import { gridPartition, gridReverse, inWindows, roll, windowLayout, windowPartition, windowReverse } from "./window.ts";

/** Pixel (y, x) of image n holds 100n + 10y + x. */
const map = (n: number, height: number, width: number): Tensor =>
  constant(
    Array.from({ length: n * height * width }, (_, i) => {
      const [image, pixel] = [Math.floor(i / (height * width)), i % (height * width)];
      return 100 * image + 10 * Math.floor(pixel / width) + (pixel % width);
    }),
    [n, height, width, 1],
  );

const values = (t: Tensor): number[] => [...evaluate([t])[0].data];

describe("partitions", () => {
  it("windows hold neighbours, image by image", () => {
    const windows = windowPartition(map(2, 4, 6), [2, 3]);
    expect(windows.shape).toEqual([8, 6, 1]);
    expect(values(windows).slice(6, 12)).toEqual([3, 4, 5, 13, 14, 15]);
    expect(values(windows).slice(24, 30)).toEqual([100, 101, 102, 110, 111, 112]);
  });

  it("grids hold pixels spread over the map", () => {
    const grids = gridPartition(map(1, 4, 6), [2, 3]);
    expect(grids.shape).toEqual([4, 6, 1]);
    expect(values(grids).slice(0, 6)).toEqual([0, 2, 4, 20, 22, 24]);
    expect(values(grids).slice(6, 12)).toEqual([1, 3, 5, 21, 23, 25]);
  });

  it("are undone", () => {
    const x = map(2, 4, 6);
    expect(values(windowReverse(windowPartition(x, [2, 3]), [2, 3], [4, 6]))).toEqual(values(x));
    expect(values(gridReverse(gridPartition(x, [2, 3]), [2, 3], [4, 6]))).toEqual(values(x));
  });

  it("keep a free batch", () => {
    const x = map(1, 4, 6);
    const free = { ...x, shape: [-1, 4, 6, 1] };
    expect(windowPartition(Object.setPrototypeOf(free, Object.getPrototypeOf(x)), [2, 3]).shape).toEqual([-4, 6, 1]);
  });
});

describe("shifted windows", () => {
  it("roll moves entries round the end, either way", () => {
    const x = constant([0, 1, 2, 3, 4], [5]);
    expect(values(roll(x, 0, 2))).toEqual([3, 4, 0, 1, 2]);
    expect(values(roll(x, 0, -2))).toEqual([2, 3, 4, 0, 1]);
    expect(roll(x, 0, 0)).toBe(x);
  });

  it("are no larger than the map, and not shifted where they cover it", () => {
    expect(windowLayout([14, 28], [7, 7], true)).toEqual({ window: [7, 7], shift: [3, 3] });
    expect(windowLayout([14, 28], [7, 7], false).shift).toEqual([0, 0]);
    expect(windowLayout([5, 28], [7, 7], true)).toEqual({ window: [5, 7], shift: [0, 3] });
    expect(windowLayout([7, 28], [7, 7], true)).toEqual({ window: [7, 7], shift: [0, 3] });
  });

  /** Means over what each pixel attends to, by the definition: the same shifted window, without wrapping round. */
  function expected(height: number, width: number, window: number, [sy, sx]: readonly number[]): number[] {
    const cell = (i: number, shift: number) => Math.floor((i - shift + window) / window);
    return Array.from({ length: height * width }, (_, p) => {
      const [y, x] = [Math.floor(p / width), p % width];
      const seen: number[] = [];
      for (let v = 0; v < height; v++)
        for (let u = 0; u < width; u++)
          if (cell(v, sy) === cell(y, sy) && cell(u, sx) === cell(x, sx)) seen.push(10 * v + u);
      return seen.reduce((a, b) => a + b, 0) / seen.length;
    });
  }

  it.each([[2, [1, 1]] as const, [3, [1, 1]] as const, [3, [0, 1]] as const])(
    "attend within a window of %i shifted by %j alone",
    (window, shift) => {
      const y = inWindows(map(1, 6, 6), { window: [window, window], shift: [shift[0], shift[1]] }, (x, mask) => {
        const [windows, length] = x.shape;
        return (mask as Tensor).reshape([windows, length, length]).softmax().matmul(x);
      });
      const means = expected(6, 6, window, shift);
      values(y).forEach((v, i) => {
        expect(v).toBeCloseTo(means[i], 9);
      });
    },
  );

  it("pad a map of no whole number of windows, and cut it back", () => {
    const x = map(2, 5, 7);
    const layout = windowLayout([5, 7], [3, 3], true);
    expect(values(inWindows(x, layout, (windows) => windows))).toEqual(values(x));
  });
});
