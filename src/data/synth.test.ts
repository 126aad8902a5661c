import { expect, test } from "vitest";
import { drawSynth, planSynth, type SynthItem, synthClasses } from "./synth.ts";

test("the same seed, class and index give the same bytes, and any other gives others", () => {
  const image = drawSynth(1, "star", 5);
  expect(image).toHaveLength(32 * 32 * 3);
  expect(drawSynth(1, "star", 5)).toEqual(image);
  expect(drawSynth(2, "star", 5)).not.toEqual(image);
  expect(drawSynth(1, "ring", 5)).not.toEqual(image);
  expect(drawSynth(1, "star", 6)).not.toEqual(image);
  expect(drawSynth(1, "star", 5, 48)).toHaveLength(48 * 48 * 3);
});

test("classes differ by one image at most, in each split, and no image is in both", () => {
  for (const count of [16, 101, 3000]) {
    const plan = planSynth({ count });
    expect(plan).toHaveLength(count);
    for (const split of ["train", "val"]) {
      const sizes = synthClasses.map((name) => plan.filter((i) => i.split === split && i.class === name).length);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    expect(new Set(plan.map((i) => `${i.class} ${i.index}`)).size).toBe(count);
  }
});

test("a larger set keeps the smaller one's images in their splits", () => {
  const key = (i: SynthItem): string => `${i.split} ${i.class} ${i.index}`;
  const large = new Set(planSynth({ count: 400 }).map(key));
  expect(planSynth({ count: 80 }).every((item) => large.has(key(item)))).toBe(true);
});

test("bad arguments are refused in one line that says what to do", () => {
  expect(() => planSynth({ count: 15 })).toThrow("synth: cannot make 15 images of 8 classes. Use 16 to 1000000");
  expect(() => planSynth({ count: 100.5 })).toThrow("cannot make 100.5 images");
  expect(() => planSynth({ count: 100, valFraction: 1 })).toThrow("cannot hold out 1. Use a part between 0 and 1");
  expect(() => planSynth({ count: 100, classes: [] })).toThrow("classes");
  expect(() => planSynth({ count: 100, classes: ["star", "star"] })).toThrow("classes must differ");
  expect(() => planSynth({ count: 100, classes: ["blob" as "star"] })).toThrow('no class "blob"');
  expect(() => drawSynth(0, "star", 0, 4)).toThrow("cannot draw at size 4");
  expect(() => drawSynth(0, "blob" as "star", 0)).toThrow('no class "blob"');
  expect(() => drawSynth(0.5, "star", 0)).toThrow("seed");
  expect(() => drawSynth(0, "star", -1)).toThrow("index");
});

/** [images, features + 1] with the features standardised by the training images; the last column is 1. */
const standardised = (plan: SynthItem[], stats?: { mean: Float32Array; deviation: Float32Array }) => {
  const images = plan.map((item) => drawSynth(0, item.class, item.index));
  const features = images[0].length;
  const column = (f: (value: number, j: number) => number): Float32Array =>
    Float32Array.from({ length: features }, (_, j) => images.reduce((sum, x) => sum + f(x[j], j), 0) / images.length);
  const mean = stats?.mean ?? column((x) => x);
  const deviation = stats?.deviation ?? column((x, j) => (x - mean[j]) ** 2).map(Math.sqrt);
  const rows = images.map((x) => Float32Array.from(x, (value, j) => (value - mean[j]) / deviation[j]));
  const labels = plan.map((item) => synthClasses.indexOf(item.class));
  return { rows, labels, stats: { mean, deviation } };
};

const dot = (a: Float32Array, b: Float32Array): number => {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  for (let j = 0; j < a.length; j += 4) {
    s0 += a[j] * b[j];
    s1 += a[j + 1] * b[j + 1];
    s2 += a[j + 2] * b[j + 2];
    s3 += a[j + 3] * b[j + 3];
  }
  return s0 + s1 + s2 + s3;
};

const addScaled = (a: Float32Array, scale: number, b: Float32Array): void => {
  for (let j = 0; j < a.length; j++) a[j] += scale * b[j];
};

type Weights = { w: Float32Array[]; bias: Float32Array };
const scores = ({ w, bias }: Weights, x: Float32Array): number[] => w.map((row, k) => dot(row, x) + bias[k]);
const accuracy = (model: Weights, rows: Float32Array[], labels: number[]): number =>
  rows.filter((x, i) => {
    const z = scores(model, x);
    return z.indexOf(Math.max(...z)) === labels[i];
  }).length / rows.length;

/** Multinomial logistic regression, cross-entropy + decay/2 |w|², by gradient descent over mini-batches to rest. */
const fitLinear = (rows: Float32Array[], labels: number[], decay: number, epochs: number): Weights => {
  const zeros = () => synthClasses.map(() => new Float32Array(rows[0].length));
  const model: Weights = { w: zeros(), bias: new Float32Array(synthClasses.length) };
  const batch = 50;
  const steps = epochs * Math.floor(rows.length / batch);
  for (let step = 0; step < steps; step++) {
    const rate = 0.004 * (1 - step / steps);
    const gradient = zeros();
    const biasGradient = new Float32Array(synthClasses.length);
    for (let b = 0; b < batch; b++) {
      const i = ((step * batch + b) * 1009) % rows.length; // strides over the classes, which come in order
      const z = scores(model, rows[i]);
      const top = Math.max(...z);
      const e = z.map((v) => Math.exp(v - top));
      const total = e.reduce((x, y) => x + y);
      e.forEach((v, k) => {
        const error = (v / total - (k === labels[i] ? 1 : 0)) / batch;
        addScaled(gradient[k], error, rows[i]);
        biasGradient[k] += error;
      });
    }
    model.w.forEach((row, k) => {
      addScaled(row, -rate * decay, row);
      addScaled(row, -rate, gradient[k]);
    });
    addScaled(model.bias, -10 * rate, biasGradient);
  }
  return model;
};

test("a linear classifier on pixels beats chance but stays under 60 % on held-out images", () => {
  const plan = planSynth({ count: 3000 });
  const train = standardised(plan.filter(({ split }) => split === "train"));
  const val = standardised(
    plan.filter(({ split }) => split === "val"),
    train.stats,
  );
  const model = fitLinear(train.rows, train.labels, 0.3, 10); // this decay does best of 0.03, 0.1, 0.3 and 1
  const held = accuracy(model, val.rows, val.labels);
  expect(held).toBeGreaterThan(0.25); // chance is 0.125
  expect(held).toBeLessThan(0.5);
});
