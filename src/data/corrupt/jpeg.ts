import { mirrored, type Planes } from "./planes.ts";

/*
 * What baseline JPEG loses (ITU-T T.81), without its bits: YCbCr, colour at half the resolution, the cosine transform of
 * 8 x 8 blocks rounded to multiples of a table (annex K.1, scaled as libjpeg scales it), and back.
 */

// biome-ignore format: a table of 8 x 8
const LUMA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
// biome-ignore format: a table of 8 x 8
const CHROMA = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
  24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/** Steps by which coefficients are kept at a quality of 1 to 100. */
function steps(table: readonly number[], quality: number): number[] {
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return table.map((v) => Math.max(1, Math.min(255, Math.floor((v * scale + 50) / 100))));
}

/** Orthonormal cosines, [frequency, place]. */
const COSINES = Float64Array.from({ length: 64 }, (_, i) => {
  const [k, n] = [i >> 3, i & 7];
  return Math.sqrt((k === 0 ? 1 : 2) / 8) * Math.cos(((2 * n + 1) * k * Math.PI) / 16);
});

/** Coefficients of a block [8, 8], or back; along both axes. */
function transform(block: Float64Array, back: boolean): Float64Array {
  const one = (from: Float64Array) => {
    // Turns the block as well: twice gives both axes, in place.
    const out = new Float64Array(64);
    for (let k = 0; k < 8; k++)
      for (let r = 0; r < 8; r++) {
        let sum = 0;
        for (let n = 0; n < 8; n++) sum += COSINES[back ? n * 8 + k : k * 8 + n] * from[r * 8 + n];
        out[k * 8 + r] = sum;
      }
    return out;
  };
  return one(one(block));
}

interface Plane {
  readonly data: Float64Array;
  readonly width: number;
  readonly height: number;
}

const byte = (v: number): number => Math.max(0, Math.min(255, Math.round(v)));

/** A plane of bytes whose coefficients are rounded to the table's steps; beyond the image the edge repeats. */
function coded({ data, width, height }: Plane, table: readonly number[]): Plane {
  const out = new Float64Array(data.length);
  const block = new Float64Array(64);
  for (let top = 0; top < height; top += 8)
    for (let left = 0; left < width; left += 8) {
      for (let i = 0; i < 64; i++) {
        const [y, x] = [Math.min(height - 1, top + (i >> 3)), Math.min(width - 1, left + (i & 7))];
        block[i] = data[y * width + x] - 128;
      }
      const kept = transform(block, false).map((v, i) => Math.round(v / table[i]) * table[i]);
      transform(kept, true).forEach((v, i) => {
        const [y, x] = [top + (i >> 3), left + (i & 7)];
        if (y < height && x < width) out[y * width + x] = byte(v + 128);
      });
    }
  return { data: out, width, height };
}

/** Means of 2 x 2; halves are rounded down and up in turn along a row, as in libjpeg. */
function halved({ data, width, height }: Plane): Plane {
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = Float64Array.from({ length: w * h }, (_, i) => {
    const [y, x] = [2 * Math.floor(i / w), 2 * (i % w)];
    const [y1, x1] = [Math.min(height - 1, y + 1), Math.min(width - 1, x + 1)];
    const sum = data[y * width + x] + data[y * width + x1] + data[y1 * width + x] + data[y1 * width + x1];
    return (sum + 1 + ((x >> 1) & 1)) >> 2;
  });
  return { data: out, width: w, height: h };
}

/** Twice as large: 3/4 of the nearest and 1/4 of the next along each axis, as libjpeg does. */
function doubled({ data, width: w, height: h }: Plane, width: number, height: number): Plane {
  const at = (y: number, x: number) => data[mirrored(y, h) * w + mirrored(x, w)];
  const out = Float64Array.from({ length: width * height }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    const [v, u] = [y >> 1, x >> 1];
    const [v1, u1] = [y & 1 ? v + 1 : v - 1, x & 1 ? u + 1 : u - 1];
    return (9 * at(v, u) + 3 * at(v1, u) + 3 * at(v, u1) + at(v1, u1)) / 16;
  });
  return { data: out, width, height };
}

/** An image as it comes out of a JPEG file of this quality (1 to 100). */
export function jpegLoss(image: Planes, quality: number): Planes {
  const { data, channels, width, height } = image;
  const plane = width * height;
  const level = (of: (i: number) => number): Plane => ({
    data: Float64Array.from({ length: plane }, (_, i) => byte(255 * of(i))),
    width,
    height,
  });
  const luma = steps(LUMA, quality);
  if (channels !== 3)
    return {
      ...image,
      data: coded(
        level((i) => data[i]),
        luma,
      ).data.map((v) => v / 255),
    };
  const mix = (r: number, g: number, b: number, add: number) => (i: number) =>
    r * data[i] + g * data[plane + i] + b * data[2 * plane + i] + add;
  const chroma = steps(CHROMA, quality);
  const colour = (r: number, g: number, b: number) =>
    doubled(coded(halved(level(mix(r, g, b, 128 / 255))), chroma), width, height).data;
  const y = coded(level(mix(0.299, 0.587, 0.114, 0)), luma).data;
  const cb = colour(-0.168736, -0.331264, 0.5);
  const cr = colour(0.5, -0.418688, -0.081312);
  const out = new Float64Array(data.length);
  for (let i = 0; i < plane; i++) {
    out[i] = (y[i] + 1.402 * (cr[i] - 128)) / 255;
    out[plane + i] = (y[i] - 0.344136 * (cb[i] - 128) - 0.714136 * (cr[i] - 128)) / 255;
    out[2 * plane + i] = (y[i] + 1.772 * (cb[i] - 128)) / 255;
  }
  return { ...image, data: out };
}
