import type { Random } from "../random.ts";
import { corruption } from "./corruption.ts";
import { convolve, mapped, motionTaps, type Planes, pixelScale, zoomed } from "./planes.ts";

/**
 * A cloud: diamond-square values in [0, 1], [size, size] with `size` a power of two, edges joined. The noise of a step is
 * `decay`² times that of the next finer one.
 */
export function plasma(size: number, decay: number, random: Random): Float64Array {
  const map = new Float64Array(size * size);
  const at = (y: number, x: number) => map[((y + size) % size) * size + ((x + size) % size)];
  let wobble = 1;
  for (let step = size; step >= 2; step /= 2) {
    const half = step / 2;
    const put = (y: number, x: number, sum: number) => {
      map[y * size + x] = sum / 4 + wobble * random.uniformIn(-1, 1);
    };
    for (let y = half; y < size; y += step)
      for (let x = half; x < size; x += step)
        put(y, x, at(y - half, x - half) + at(y - half, x + half) + at(y + half, x - half) + at(y + half, x + half));
    for (let y = 0; y < size; y += half)
      for (let x = (y + half) % step; x < size; x += step)
        put(y, x, at(y - half, x) + at(y + half, x) + at(y, x - half) + at(y, x + half));
    wobble /= decay * decay;
  }
  const low = map.reduce((a, b) => Math.min(a, b), Infinity);
  const high = map.reduce((a, b) => Math.max(a, b), -Infinity);
  return map.map((v) => (high > low ? (v - low) / (high - low) : 0));
}

/** A cloud as large as the image, [H, W]. */
function cloud({ width, height }: Planes, decay: number, random: Random): Float64Array {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, width, height)));
  const map = plasma(size, decay, random);
  return Float64Array.from({ length: width * height }, (_, i) => map[Math.floor(i / width) * size + (i % width)]);
}

/** (x + t·cloud)·m / (m + t), m the image's largest value. Settings: t, and the cloud's decay. */
export const fog = corruption(
  "weather",
  [[1.5, 2] as const, [2, 2] as const, [2.5, 1.7] as const, [2.5, 1.5] as const, [3, 1.4] as const],
  (image, [thick, decay], random) => {
    const most = image.data.reduce((a, b) => Math.max(a, b), 0);
    const haze = cloud(image, decay, random);
    return mapped(image, (v, i) => ((v + thick * haze[i % haze.length]) * most) / (most + thick));
  },
  ([thick, decay]) => `${thick}, ${decay}`,
);

/** Colours of ice by channel. */
const ICE = [0.82, 0.9, 1];

/**
 * Ice on the glass: a·x + b·ice. The published set takes photographs of frost; here ridges of clouds stand for it. Settings: a, b.
 */
export const frost = corruption(
  "weather",
  [[1, 0.4] as const, [0.8, 0.6] as const, [0.7, 0.7] as const, [0.65, 0.7] as const, [0.6, 0.75] as const],
  (image, [kept, ice], random) => {
    const [one, two] = [cloud(image, 1.7, random), cloud(image, 1.4, random)];
    const ridge = (v: number) => 1 - Math.abs(2 * v - 1);
    const crystals = one.map((v, i) => Math.max(ridge(v) ** 3, 0.9 * ridge(two[i]) ** 6));
    return mapped(image, (v, i) => {
      const channel = Math.floor(i / crystals.length);
      return kept * v + ice * crystals[i % crystals.length] * (image.channels === 3 ? ICE[channel] : 1);
    });
  },
  ([kept, ice]) => `${kept}, ${ice}`,
);

/** Luma of ITU-R 601, [H, W]. */
function luma({ data, channels, width, height }: Planes): Float64Array {
  const plane = width * height;
  if (channels !== 3) return data;
  return Float64Array.from(
    { length: plane },
    (_, i) => 0.299 * data[i] + 0.587 * data[plane + i] + 0.114 * data[2 * plane + i],
  );
}

interface Snow {
  /** Mean and deviation of the noise that flakes are made of. */
  readonly mean: number;
  readonly deviation: number;
  /** Size of a flake in pixels, whatever the image's. */
  readonly zoom: number;
  /** Least value of a flake. */
  readonly threshold: number;
  /** Radius and deviation of its trail. */
  readonly trail: readonly [radius: number, deviation: number];
  /** What is left of the image; the rest whitens. */
  readonly kept: number;
}

const flakes = (
  ...[mean, deviation, zoom, threshold, radius, trail, kept]: readonly [...Array<number>] & { length: 7 }
): Snow => ({ mean, deviation, zoom, threshold, trail: [radius, trail], kept });

/** Falling snow, in two layers of which one is turned half round, over a whitened scene. */
export const snow = corruption(
  "weather",
  [
    flakes(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    flakes(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    flakes(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    flakes(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    flakes(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
  ],
  (image, { mean, deviation, zoom, threshold, trail: [radius, length], kept }, random) => {
    const { width, height } = image;
    const scale = pixelScale(image);
    const noise = Float64Array.from({ length: width * height }, () => mean + deviation * random.normal());
    const large = zoomed({ data: noise, channels: 1, width, height }, zoom);
    const fallen = mapped(large, (v) => (v < threshold ? 0 : Math.min(1, v)));
    const angle = (random.uniformIn(-135, -45) * Math.PI) / 180;
    const layer = convolve(fallen, motionTaps(radius * scale, length * scale, angle)).data;
    const grey = luma(image);
    const plane = width * height;
    return mapped(image, (v, i) => {
      const p = i % plane;
      const scene = kept * v + (1 - kept) * Math.max(v, 1.5 * grey[p] + 0.5);
      return scene + layer[p] + layer[plane - 1 - p];
    });
  },
  ({ mean, threshold, kept }) => `${mean}, ${threshold}, ${kept}`,
);

/** Daylight: HSV's value rises by c. Scaling a colour by v'/v keeps its hue and saturation; black turns grey. */
export const brightness = corruption("weather", [0.1, 0.2, 0.3, 0.4, 0.5], (image, more) => {
  const { data, channels, width, height } = image;
  const plane = width * height;
  const out = new Float64Array(data.length);
  for (let i = 0; i < plane; i++) {
    let value = 0;
    for (let c = 0; c < channels; c++) value = Math.max(value, data[c * plane + i]);
    const raised = Math.min(1, value + more);
    for (let c = 0; c < channels; c++) {
      const at = c * plane + i;
      out[at] = value > 0 ? (data[at] * raised) / value : raised;
    }
  }
  return { ...image, data: out };
});
