import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { mixAtOnce } from "../augment/aug-mix.ts";
import type { PlanarImage } from "../frame.ts";
import type { AffineFilter } from "../pixels/affine.ts";
import { gaussianBlur } from "../pixels/blur.ts";
import { adjustHue } from "../pixels/hue.ts";
import { invert, solarize } from "../pixels/levels.ts";
import { keyed } from "../random.ts";
import { type Operation, type OperationName, operations } from "./operations.ts";
import { parseAutoAugment } from "./parse.ts";
import { policies } from "./policies.ts";

/** Made by bench/python/augment_expectations.py. */
interface Expected {
  fill: number[];
  images: {
    kind: "smooth" | "noise" | "few";
    height: number;
    width: number;
    digest: string;
    /** "Operation filter" or "hue" -> a digest for each argument. */
    digests: Record<string, string>;
  }[];
  arguments: Record<OperationName, number[]>;
  hues: number[];
  levels: Record<string, [level: number, plus: number, minus: number][]>;
  policies: Record<string, [OperationName, number, number][][]>;
  rand: Record<string, { ops: string[]; weights: number[] | null } & Record<"n" | "p" | "m" | "std" | "max", unknown>>;
  mix: Record<string, { ops: string[]; depth: number } & Record<"alpha" | "width" | "blended" | "m" | "std", unknown>>;
  blurs: [number, string][];
  mixed: string;
}

const file = fileURLToPath(new URL("./pillow.json", import.meta.url));
const expected = JSON.parse(readFileSync(file, "utf8")) as Expected;

const VALUES = {
  smooth: (x: number, y: number, c: number) => 40 + 8 * c + (((x * (3 + c)) >> 1) % 97) + ((y * (5 - c)) % 83),
  noise: (x: number, y: number, c: number) =>
    ((x * 73 + y * 151 + c * 199 + x * y * 37 + (x * x + c) * (y * y + 11) * 5) >> 2) & 255,
  few: (x: number, y: number, c: number) => 60 + 5 * ((x + y * 2 + c) % 4),
};

/** The images of the script. */
function drawn(kind: keyof typeof VALUES, height: number, width: number): PlanarImage {
  const data = new Uint8Array(3 * height * width);
  for (let c = 0, i = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[i++] = VALUES[kind](x, y, c);
  }
  return { data, channels: 3, width, height };
}

const digest = ({ data }: PlanarImage) => createHash("sha256").update(data).digest("hex").slice(0, 8);

const settings = { fill: expected.fill, filters: ["bicubic" as const], translateConst: 100, translatePct: 0.45 };

describe("image operations", () => {
  it.each(expected.images.map((image) => [`${image.kind} ${image.width}x${image.height}`, image] as const))(
    "give Pillow's bytes: %s",
    (_, { kind, height, width, digest: plain, digests }) => {
      expect(digest(drawn(kind, height, width))).toBe(plain);
      for (const [key, theirs] of Object.entries(digests)) {
        const [name, filter] = key.split(" ") as [OperationName, AffineFilter];
        const ours = (key === "hue" ? expected.hues : expected.arguments[name]).map((argument) => {
          const image = drawn(kind, height, width);
          if (key === "hue") adjustHue(image, argument);
          else (operations[name] as Operation).apply(image, argument, { ...settings, filters: [filter] }, keyed(0));
          return digest(image);
        });
        expect([key, ours.join(" ")]).toEqual([key, theirs]);
      }
    },
  );

  it("blur as torchvision within one level, by nearly all pixels exactly", () => {
    for (const [sigma, bytes] of expected.blurs) {
      const theirs = Buffer.from(bytes, "base64");
      const image = drawn("noise", 20, 24);
      gaussianBlur(image, 23, sigma);
      const differences = image.data.map((v, i) => Math.abs(v - theirs[i]));
      expect(Math.max(...differences)).toBeLessThanOrEqual(1);
      expect(differences.filter((d) => d > 0).length).toBeLessThan(15);
    }
  });

  it("mix chains as timm's AugMix does", () => {
    const image = drawn("noise", 47, 33);
    const chains = [invert, (i: PlanarImage) => solarize(i, 100)];
    const m = Math.fround(0.4);
    mixAtOnce(image.data, [Math.fround(0.3), Math.fround(0.7)], m, (data) => chains.shift()?.({ ...image, data }));
    expect(digest(image)).toBe(expected.mixed);
  });

  it("leave one channel grey and change it as Pillow's L mode: the same formulas", () => {
    const rgb = drawn("smooth", 47, 33);
    rgb.data.copyWithin(47 * 33, 0, 47 * 33);
    rgb.data.copyWithin(2 * 47 * 33, 0, 47 * 33);
    for (const name of Object.keys(operations) as OperationName[]) {
      const three = { ...rgb, data: rgb.data.slice() };
      const one = { ...rgb, channels: 1, data: rgb.data.slice(0, 47 * 33) };
      const argument = /Poster/.test(name) ? 3 : /Solar/.test(name) ? 90 : 0.4;
      for (const image of [three, one]) {
        (operations[name] as Operation).apply(image, argument, { ...settings, fill: [9, 9, 9] }, keyed(4));
      }
      expect([name, Buffer.from(one.data)]).toEqual([name, Buffer.from(three.data.subarray(0, 47 * 33))]);
    }
  });
});

describe("tables of timm", () => {
  it("turn every level into timm's argument", () => {
    const named = Object.entries(operations).filter(([, o]) => (o as Operation).argument);
    expect(named.map(([name]) => name).sort()).toEqual(Object.keys(expected.levels).sort());
    for (const [name, operation] of named as [string, Operation][]) {
      for (const [level, plus, minus] of expected.levels[name]) {
        const of = (sign: 1 | -1) => operation.argument?.(level, settings, operation.signed ? sign : 1);
        expect([name, level, of(1)]).toEqual([name, level, expect.closeTo(plus, 12)]);
        expect([name, level, of(-1)]).toEqual([name, level, expect.closeTo(minus, 12)]);
      }
    }
  });

  it("are the policies' pairs, probabilities and magnitudes", () => {
    const ours = Object.entries(policies).map(([name, pairs]) => [
      name,
      pairs.map((pair) => pair.map(({ op, p, magnitude }) => [op, p, magnitude])),
    ]);
    expect(Object.fromEntries(ours)).toEqual(expected.policies);
  });

  it("are what a string stands for", () => {
    for (const [text, theirs] of Object.entries(expected.rand)) {
      const plan = parseAutoAugment(text);
      if (plan.name !== "randAugment") throw new Error(text);
      const total = (plan.weights ?? []).reduce((sum, w) => sum + w, 0);
      const weights = plan.weights?.map((w) => expect.closeTo(w / total, 12)) ?? null;
      const { magnitude: m, layers: n, p, noise, operations: ops } = plan;
      expect(theirs).toEqual({ ops, weights, n, p, m, std: noise.std, max: noise.max });
    }
    for (const [text, theirs] of Object.entries(expected.mix)) {
      const plan = parseAutoAugment(text);
      if (plan.name !== "augMix") throw new Error(text);
      const { operations: ops, alpha, width, depth, blended, magnitude: m, noise } = plan;
      expect({ ...theirs, depth: Math.max(0, theirs.depth) }).toEqual({
        ops,
        alpha,
        width,
        depth,
        blended,
        m,
        std: noise.std,
      });
    }
  });
});
