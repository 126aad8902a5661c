import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { toInterleaved, toPlanar } from "../image.ts";
import { keyed } from "../random.ts";
import { drawSynth } from "../synth.ts";
import { discTaps } from "./blur.ts";
import { CORRUPTIONS, corrupt, corruptionNames } from "./index.ts";
import { poissonTable } from "./noise.ts";
import { convolve, fromBytes, gaussian, motionTaps, type Planes, zoomed } from "./planes.ts";
import { plasma } from "./weather.ts";

const drawn = (side: number, index = 3) => {
  const data = toPlanar({ width: side, height: side, data: drawSynth(11, "star", index, side) });
  return { data, channels: 3, width: side, height: side };
};
const flat = (value: number, side = 64, channels = 3): Planes => ({
  data: new Float64Array(channels * side * side).fill(value),
  channels,
  width: side,
  height: side,
});
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const variance = (values: ArrayLike<number>): number => {
  const m = mean(values);
  return mean(Array.from(values, (v) => (v - m) ** 2));
};
const apply = (name: string, image: Planes, severity: number) =>
  CORRUPTIONS[name].apply(image, severity, keyed(5, name)).data;

describe("every corruption", () => {
  it.each(corruptionNames)("%s gives a new image of the same size, the same each time", (name) => {
    const image = drawn(48);
    const before = image.data.slice();
    for (let severity = 1; severity <= CORRUPTIONS[name].levels.length; severity++) {
      const out = corrupt(image, name, severity, { seed: 1, index: 7 });
      expect([out.width, out.height, out.channels, out.data.length]).toEqual([48, 48, 3, before.length]);
      expect(out.data).not.toEqual(before);
      expect(corrupt(image, name, severity, { seed: 1, index: 7 }).data).toEqual(out.data);
    }
    expect(image.data).toEqual(before);
  });

  it.each(corruptionNames)("%s takes grey images, and those that are not square or tiny", (name) => {
    for (const [channels, width, height] of [
      [1, 24, 24],
      [3, 31, 20],
      [3, 3, 5],
    ]) {
      const data = Uint8Array.from({ length: channels * width * height }, (_, i) => (i * 53) % 256);
      const out = corrupt({ data, channels, width, height }, name, 3, { seed: 0, index: 0 });
      expect(out.data).toHaveLength(data.length);
    }
  });

  // Elastic's published severities are no order; glass swaps whole pixels, which a small image has few of.
  it.each(corruptionNames.filter((n) => n !== "elastic_transform" && n !== "glass_blur"))(
    "%s takes more away the more severe it is",
    (name) => {
      const image = fromBytes(drawn(96));
      const errors = CORRUPTIONS[name].levels.map((_, i) => {
        const out = apply(name, image, i + 1);
        return mean(out.map((v, k) => (Math.max(0, Math.min(1, v)) - image.data[k]) ** 2));
      });
      expect(errors.at(-1)).toBeGreaterThan(errors[0]);
      expect(Math.min(...errors)).toBeGreaterThan(0);
    },
  );

  it("draws anew for another image and another seed", () => {
    const of = (seed: number, index: number) => corrupt(drawn(16), "gaussian_noise", 3, { seed, index }).data;
    expect(of(0, 1)).not.toEqual(of(0, 2));
    expect(of(0, 1)).not.toEqual(of(1, 1));
  });

  it("says which names and severities there are", () => {
    const key = { seed: 0, index: 0 };
    expect(() => corrupt(drawn(8), "rain", 1, key)).toThrow(/no corruption rain.*gaussian_noise/);
    for (const severity of [0, 6, 1.5, Number.NaN])
      expect(() => corrupt(drawn(8), "fog", severity, key)).toThrow(/1 to 5/);
  });
});

describe("noise", () => {
  it("has the published deviations", () => {
    const deviations = [0.08, 0.12, 0.18, 0.26, 0.38];
    deviations.forEach((deviation, i) => {
      const out = apply("gaussian_noise", flat(0.5), i + 1);
      expect(Math.sqrt(variance(out)) / deviation).toBeCloseTo(1, 1);
      expect(mean(out)).toBeCloseTo(0.5, 1);
    });
  });

  it("of shots is Poisson's: mean x, variance x / c", () => {
    for (const [i, count] of [60, 25, 12, 5, 3].entries()) {
      const out = apply("shot_noise", flat(0.3), i + 1);
      expect(mean(out)).toBeCloseTo(0.3, 1);
      expect((variance(out) * count) / 0.3).toBeCloseTo(1, 1);
    }
    const table = poissonTable(2.5);
    const sum = Array.from({ length: 4 }, (_, k) => (Math.exp(-2.5) * 2.5 ** k) / [1, 1, 2, 6][k]).reduce(
      (a, b) => a + b,
    );
    expect(table[3]).toBeCloseTo(sum, 12);
  });

  it("of impulses leaves the rest as it is, and makes as much black as white", () => {
    const out = apply("impulse_noise", flat(0.5, 128), 5);
    const share = (v: number) => mean(out.map((x) => Number(x === v)));
    expect(share(0.5)).toBeCloseTo(1 - 0.27, 1);
    expect(share(0) / share(1)).toBeCloseTo(1, 1);
  });
});

describe("blur", () => {
  const point = (side: number): Planes => {
    const image = flat(0, side, 1);
    image.data[(side >> 1) * side + (side >> 1)] = 1;
    return image;
  };

  it("of a point is a disc of the radius, of a plane nothing", () => {
    for (const radius of [0.43, 3, 10]) {
      const out = convolve(point(41), discTaps(radius));
      expect(out.data.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
      if (radius >= 3) expect(1 / Math.max(...out.data)).toBeCloseTo(Math.PI * radius ** 2, -0.5);
    }
    for (const name of ["defocus_blur", "glass_blur", "motion_blur", "zoom_blur"])
      for (const v of apply(name, flat(0.37), 5)) expect(v).toBeCloseTo(0.37, 10);
  });

  it("by a Gaussian equals the plain sum, edges mirrored", () => {
    const [width, height, sigma] = [7, 5, 1.3];
    const image = { data: Float64Array.from({ length: 35 }, (_, i) => (i * 17) % 11), channels: 1, width, height };
    const out = gaussian(image, sigma).data;
    const mirror = (i: number, n: number) => (i < 0 ? -1 - i : i >= n ? 2 * n - 1 - i : i);
    const reach = Math.round(4 * sigma);
    for (const [x, y] of [
      [0, 0],
      [3, 2],
      [6, 4],
    ]) {
      let [sum, total] = [0, 0];
      for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) {
          const w = Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
          total += w;
          sum += w * image.data[mirror(mirror(y + dy, height), height) * width + mirror(mirror(x + dx, width), width)];
        }
      expect(out[y * width + x]).toBeCloseTo(sum / total, 10);
    }
  });

  it("by motion is a line of the given length and direction", () => {
    const taps = motionTaps(3, 2, Math.PI / 2);
    expect(taps.map(({ x, y }) => [Math.abs(x), y])).toEqual(Array.from({ length: 7 }, (_, i) => [0, i]));
    expect(taps.reduce((s, t) => s + t.weight, 0)).toBeCloseTo(1, 12);
    expect(taps[2].weight / taps[0].weight).toBeCloseTo(Math.exp(-0.5), 12);
  });

  it("by zooming keeps a plane of equal slope in proportion", () => {
    const side = 21;
    const slope = { ...flat(0, side, 1), data: Float64Array.from({ length: side * side }, (_, i) => i % side) };
    const out = zoomed(slope, 2).data;
    expect(out[10 * side + 10]).toBeCloseTo(10, 10);
    expect(out[10 * side + 14]).toBeCloseTo(12, 10);
  });
});

describe("weather", () => {
  it("draws clouds from 0 to 1, smoother with more decay", () => {
    const rough = (decay: number) => {
      const map = plasma(64, decay, keyed(1, "cloud"));
      expect([Math.min(...map), Math.max(...map)]).toEqual([0, 1]);
      return mean(map.map((v, i) => (v - map[(i + 1) % map.length]) ** 2)) / variance(map);
    };
    expect(rough(2)).toBeLessThan(rough(1.4));
  });

  it("makes fog between the image and white, as its formula", () => {
    const out = apply("fog", flat(0.5), 1);
    expect(Math.min(...out)).toBeCloseTo((0.5 * 0.5) / 2, 10);
    expect(Math.max(...out)).toBeCloseTo((2 * 0.5) / 2, 10);
  });

  it("brightens HSV's value and leaves hue and saturation", () => {
    const image = fromBytes(drawn(24));
    const out = apply("brightness", image, 2);
    const plane = 24 * 24;
    for (let i = 0; i < plane; i++) {
      const was = [0, 1, 2].map((c) => image.data[c * plane + i]);
      const is = [0, 1, 2].map((c) => out[c * plane + i]);
      const [before, after] = [Math.max(...was), Math.max(...is)];
      expect(after).toBeCloseTo(Math.min(1, before + 0.2), 10);
      if (before > 0) expect((after - Math.min(...is)) / after).toBeCloseTo((before - Math.min(...was)) / before, 10);
    }
  });
});

describe("digital", () => {
  it("contrast keeps the mean and a part of the deviation", () => {
    const image = fromBytes(drawn(32));
    const out = apply("contrast", image, 3);
    for (let c = 0; c < 3; c++) {
      const [was, is] = [image.data, out].map((d) => d.subarray(c * 1024, (c + 1) * 1024));
      expect(mean(is)).toBeCloseTo(mean(was), 10);
      expect(variance(is)).toBeCloseTo(variance(was) * 0.04, 10);
    }
  });

  it("pixelates to means of squares where sizes divide", () => {
    const image = fromBytes(drawn(40));
    const out = apply("pixelate", image, 5); // a quarter: squares of 4 x 4
    const square = Array.from({ length: 16 }, (_, i) => image.data[(8 + (i >> 2)) * 40 + 12 + (i & 3)]);
    for (let i = 0; i < 16; i++) expect(out[(8 + (i >> 2)) * 40 + 12 + (i & 3)]).toBeCloseTo(mean(square), 10);
  });

  it.each([1, 3, 5])("loses what libjpeg loses at severity %i", async (severity) => {
    const image = drawn(64);
    const quality = [25, 18, 15, 10, 7][severity - 1];
    const raw = { width: 64, height: 64, channels: 3 as const };
    const file = await sharp(toInterleaved(image.data, 3), { raw })
      .jpeg({ quality, chromaSubsampling: "4:2:0", optimiseScans: false, mozjpeg: false })
      .toBuffer();
    const theirs = await sharp(file).raw().toBuffer();
    const ours = toInterleaved(corrupt(image, "jpeg_compression", severity, { seed: 0, index: 0 }).data, 3);
    const error = mean(ours.map((v, i) => Math.abs(v - theirs[i])));
    const loss = mean(theirs.map((v, i) => Math.abs(v - toInterleaved(image.data, 3)[i])));
    expect(error).toBeLessThan(0.6);
    expect(loss).toBeGreaterThan(2 * error);
  });
});

describe("patches", () => {
  it("are dropped in the number asked for, the same ones first", () => {
    const image = flat(1, 56, 1); // 14 x 14 patches of 4 x 4
    const black = (severity: number) => {
      const out = apply("patch_drop", image, severity);
      const patches = Array.from({ length: 196 }, (_, p) => out[Math.floor(p / 14) * 4 * 56 + (p % 14) * 4]);
      expect(mean(out)).toBeCloseTo(mean(patches), 12);
      return patches.flatMap((v, p) => (v === 0 ? [p] : []));
    };
    const counts = [1, 2, 3, 4, 5].map((s) => black(s));
    expect(counts.map((c) => c.length)).toEqual([20, 59, 98, 137, 176]);
    for (const patch of counts[0]) expect(counts[4]).toContain(patch);
  });

  it("are shuffled whole: the same patches at other places", () => {
    const image = fromBytes(drawn(56));
    for (const [severity, grid] of [2, 4, 8, 14].entries()) {
      const out = apply("patch_shuffle", image, severity + 1);
      const side = 56 / grid;
      const patches = (data: Float64Array) =>
        Array.from({ length: grid * grid }, (_, p) =>
          Array.from({ length: side * side }, (_, i) => {
            const y = Math.floor(p / grid) * side + Math.floor(i / side);
            return data[y * 56 + (p % grid) * side + (i % side)].toFixed(6);
          }).join(),
        );
      expect(patches(out).sort()).toEqual(patches(image.data).sort());
    }
  });
});
