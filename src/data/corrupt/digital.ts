import type { Random } from "../random.ts";
import { corruption } from "./corruption.ts";
import { jpegLoss } from "./jpeg.ts";
import { gaussian, mapped, type Planes, pixelScale, warped } from "./planes.ts";

/** Values drawn towards their channel's mean: (x - m)·c + m. */
export const contrast = corruption("digital", [0.4, 0.3, 0.2, 0.1, 0.05], (image, kept) => {
  const plane = image.width * image.height;
  const means = Array.from(
    { length: image.channels },
    (_, c) => image.data.subarray(c * plane, (c + 1) * plane).reduce((a, b) => a + b, 0) / plane,
  );
  return mapped(image, (v, i) => {
    const mean = means[Math.floor(i / plane)];
    return (v - mean) * kept + mean;
  });
});

/** The published code writes 244 for the image's side. */
const SIDE = 244;

/** An affine map drawn by moving three points, then displacements smoothed. Settings, in sides: size, smoothness, move of a point. */
export const elasticTransform = corruption(
  "digital",
  [
    [2, 0.7, 0.1] as const,
    [2, 0.08, 0.2] as const,
    [0.05, 0.01, 0.02] as const,
    [0.07, 0.01, 0.02] as const,
    [0.12, 0.01, 0.02] as const,
  ],
  (image, [size, smooth, move], random) => {
    const side = SIDE * pixelScale(image);
    const moved = affinelyMoved(image, move * side, random);
    const { width, height } = image;
    const displacement = () => {
      const data = Float64Array.from({ length: width * height }, () => random.uniformIn(-1, 1));
      return gaussian({ data, channels: 1, width, height }, smooth * side).data;
    };
    const [dx, dy] = [displacement(), displacement()];
    return warped(moved, (x, y) => {
      const i = y * width + x;
      return [x + size * side * dx[i], y + size * side * dy[i]];
    });
  },
  ([size, smooth, move]) => `${size}, ${smooth}, ${move}`,
);

/** The image under the affine map that moves three points about its centre by up to `far` pixels along each axis. */
function affinelyMoved(image: Planes, far: number, random: Random): Planes {
  const [cx, cy] = [Math.floor(image.width / 2), Math.floor(image.height / 2)];
  const third = Math.floor(Math.min(image.width, image.height) / 3);
  const shift = () => random.uniformIn(-far, far);
  const points = [
    [cx + third, cy + third],
    [cx + third, cy - third],
    [cx - third, cy - third],
  ] as const;
  const targets = points.map(([x, y]) => [x + shift(), y + shift()] as const);
  // The inverse map sends the targets back: p = points[1] + s·(points[2] - points[1]) + t·(points[0] - points[1]),
  // (s, t) the coordinates of a pixel in the targets' frame.
  const [o, u, v] = [
    targets[1],
    [targets[2][0] - targets[1][0], targets[2][1] - targets[1][1]],
    [targets[0][0] - targets[1][0], targets[0][1] - targets[1][1]],
  ];
  const area = u[0] * v[1] - u[1] * v[0];
  if (Math.abs(area) < 1e-9) return image;
  return warped(image, (x, y) => {
    const [a, b] = [x - o[0], y - o[1]];
    const s = (a * v[1] - b * v[0]) / area;
    const t = (u[0] * b - u[1] * a) / area;
    return [points[1][0] - 2 * third * s, points[1][1] + 2 * third * t];
  });
}

/** Few large pixels: area means at a part of the size, enlarged again. */
export const pixelate = corruption("digital", [0.6, 0.5, 0.4, 0.3, 0.25], (image, part) => {
  const [w, h] = [image.width, image.height].map((side) => Math.max(1, Math.floor(side * part)));
  return resampled(resampled(image, w, h), image.width, image.height);
});

/** Each new pixel is the mean of the area of old ones that it covers. */
function resampled({ data, channels, width, height }: Planes, w: number, h: number): Planes {
  const across = covers(width, w);
  const down = covers(height, h);
  const out = new Float64Array(channels * w * h);
  for (let i = 0; i < out.length; i++) {
    const plane = Math.floor(i / (w * h)) * width * height;
    let sum = 0;
    for (const [y, part] of down[Math.floor(i / w) % h])
      for (const [x, share] of across[i % w]) sum += part * share * data[plane + y * width + x];
    out[i] = sum;
  }
  return { data: out, channels, width: w, height: h };
}

/** Old pixels that each of `to` new ones covers along an axis of `from`, and their shares of it. */
const covers = (from: number, to: number): (readonly [at: number, share: number])[][] =>
  Array.from({ length: to }, (_, i) => {
    const [low, high] = [(i * from) / to, ((i + 1) * from) / to];
    const list: (readonly [number, number])[] = [];
    for (let at = Math.floor(low); at < Math.min(from, Math.ceil(high)); at++) {
      const share = (Math.min(high, at + 1) - Math.max(low, at)) / (high - low);
      if (share > 1e-12) list.push([at, share]);
    }
    return list;
  });

/** What JPEG loses. Settings: quality. */
export const jpegCompression = corruption("digital", [25, 18, 15, 10, 7], jpegLoss);
