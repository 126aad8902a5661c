import { corruption } from "./corruption.ts";
import { convolve, gaussian, mapped, motionTaps, type Planes, pixelScale, type Tap, zoomed } from "./planes.ts";

/** Points a side of a pixel by which its share of the disc is found. */
const FINE = 8;

/** A disc of light of `radius` pixels: each tap is the part of its pixel that the disc covers. */
export function discTaps(radius: number): Tap[] {
  const reach = Math.ceil(radius);
  const taps: Tap[] = [];
  for (let y = -reach; y <= reach; y++)
    for (let x = -reach; x <= reach; x++) {
      let inside = 0;
      for (let i = 0; i < FINE * FINE; i++) {
        const u = x - 0.5 + ((i % FINE) + 0.5) / FINE;
        const v = y - 0.5 + (Math.floor(i / FINE) + 0.5) / FINE;
        inside += Number(u * u + v * v <= radius * radius);
      }
      if (inside > 0) taps.push({ x, y, weight: inside });
    }
  const sum = taps.reduce((s, t) => s + t.weight, 0);
  return taps.map((t) => ({ ...t, weight: t.weight / sum }));
}

/** Out of focus. Settings: radius. */
export const defocusBlur = corruption("blur", [3, 4, 6, 8, 10], (image, radius) =>
  convolve(image, discTaps(radius * pixelScale(image))),
);

/** Frosted glass: blurred, neighbours swapped, blurred. Settings: deviation, farthest swap, rounds. */
export const glassBlur = corruption(
  "blur",
  [[0.7, 1, 2] as const, [0.9, 2, 1] as const, [1, 2, 3] as const, [1.1, 3, 2] as const, [1.5, 4, 2] as const],
  (image, [deviation, farthest, rounds], random) => {
    const scale = pixelScale(image);
    const far = Math.max(1, Math.round(farthest * scale));
    const out = gaussian(image, deviation * scale);
    const { channels, width, height } = image;
    const data = out.data.slice();
    for (let round = 0; round < rounds; round++)
      for (let y = height - far - 1; y >= far; y--)
        for (let x = width - far - 1; x >= far; x--) {
          const other = (y + random.int(2 * far) - far) * width + x + random.int(2 * far) - far;
          for (let c = 0; c < channels; c++) {
            const [a, b] = [c * width * height + y * width + x, c * width * height + other];
            [data[a], data[b]] = [data[b], data[a]];
          }
        }
    return gaussian({ ...out, data }, deviation * scale);
  },
  ([deviation, farthest, rounds]) => `${deviation}, ${farthest}, ${rounds}`,
);

const degrees = (angle: number): number => (angle * Math.PI) / 180;

/** A moving camera. Settings: radius and deviation of the trail; its direction is drawn within 45° of level. */
export const motionBlur = corruption(
  "blur",
  [[10, 3] as const, [15, 5] as const, [15, 8] as const, [15, 12] as const, [20, 15] as const],
  (image, [radius, deviation], random) => {
    const scale = pixelScale(image);
    return convolve(image, motionTaps(radius * scale, deviation * scale, degrees(random.uniformIn(-45, 45))));
  },
  ([radius, deviation]) => `${radius}, ${deviation}`,
);

/** Moving towards the scene: the mean of the image and of enlargements. Settings: steps from 1 on, and their size. */
export const zoomBlur = corruption(
  "blur",
  [[11, 0.01] as const, [16, 0.01] as const, [11, 0.02] as const, [13, 0.02] as const, [11, 0.03] as const],
  (image, [steps, size]) => {
    const sum = image.data.slice();
    for (let k = 0; k < steps; k++) add(sum, zoomed(image, 1 + k * size));
    return mapped({ ...image, data: sum }, (v) => v / (steps + 1));
  },
  ([steps, size]) => `to ${(1 + (steps - 1) * size).toFixed(2)}`,
);

function add(sum: Float64Array, { data }: Planes): void {
  for (let i = 0; i < sum.length; i++) sum[i] += data[i];
}
