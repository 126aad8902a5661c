import { afterAll, beforeAll, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import { batchOf, type FigureContext, type Picture } from "../src/explain/figure.ts";
import { FIGURES } from "../src/explain/index.ts";
import { answer, floats, inside } from "../src/explain/subject.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { program } from "../src/graph/program.ts";
import { rewrite } from "../src/graph/rewrite.ts";
import { applyAll, input, type Tensor } from "../src/graph/tensor.ts";
import type { TensorData } from "../src/graph/types.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import type { Backend } from "../src/runtime/backend.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(() => backend.dispose());

const VIT = { img_size: 32, patch_size: 8, embed_dim: 16, depth: 3, num_heads: 2, num_classes: 4 };
const [SIDE, PATCH, HEADS, DEPTH] = [4, 8, 2, 3];
const TOKENS = 1 + SIDE * SIDE;

/** A model of weights large enough that its attention is far from even, and two pictures of noise. */
async function contextOf(name: string, options: ModelOptions): Promise<FigureContext> {
  const model = createModel(name, options);
  const larger = ([slot, t]: [string, TensorData]): [string, TensorData] => [
    slot,
    slot.endsWith("qkv.weight") ? { ...t, data: (t.data as Float32Array).map((v) => 20 * v) } : t,
  ];
  const weights = new Map([...initialize(model, 1)].map(larger));
  const [, height, width] = model.inputShape;
  const pictures = [5, 6].map((seed, target): Picture => {
    const stream = keyed(seed, "noise");
    const noise = Float32Array.from({ length: 3 * height * width }, () => stream.normal());
    const pixels = { width, height, data: new Uint8Array(3 * height * width) };
    return { name: `${seed}.png`, pixels, input: noise, target };
  });
  const classes = ["ant", "bee", "cat", "dog"];
  return { model, weights, classes, backend, state: await backend.createState(weights), pictures, seed: 0 };
}

/** probs[layer][image][head][query][key]. */
async function attentionOf(context: FigureContext): Promise<number[][][][][]> {
  const layers = Array.from({ length: DEPTH }, (_, l) => `blocks.${l}.attn.probs`);
  const all = await answer(context, batchOf(context.pictures), ({ taps }) => {
    return new Map(layers.map((name) => [name, taps.get(name) as Tensor]));
  });
  const rows = <T>(data: readonly T[], length: number): T[][] =>
    Array.from({ length: data.length / length }, (_, i) => data.slice(i * length, (i + 1) * length));
  return layers.map((name) => rows(rows(rows([...floats(all, name)], TOKENS), TOKENS), HEADS));
}

it("rollout is the product of the layers' mean attention and identity, row of the class token", async () => {
  const context = await contextOf("vit_tiny_patch16_224", VIT);
  const layers = await attentionOf(context);
  const { data } = await FIGURES.rollout.draw(context);
  for (const [image, { map }] of (data as { map: number[] }[]).entries()) {
    let rolled = Array.from({ length: TOKENS }, (_, i) => Array.from({ length: TOKENS }, (_, j) => Number(i === j)));
    for (const layer of layers) {
      const step = (i: number, j: number) =>
        (layer[image].reduce((sum, head) => sum + head[i][j], 0) / HEADS + Number(i === j)) / 2;
      const before = rolled;
      rolled = before.map((_, i) =>
        before[0].map((_, j) => before.reduce((sum, row, k) => sum + step(i, k) * row[j], 0)),
      );
    }
    expect(Math.max(...map) / Math.min(...map)).toBeGreaterThan(1.5);
    map.forEach((value, p) => {
      expect(value).toBeCloseTo(rolled[0][1 + p], 6);
    });
  }
});

it("attention distance is that of the patches looked at, weighted, the class token left out", async () => {
  const context = await contextOf("vit_tiny_patch16_224", VIT);
  const layers = await attentionOf(context);
  const { data } = await FIGURES["attention-distance"].draw(context);
  const at = (p: number) => [PATCH * Math.floor(p / SIDE), PATCH * (p % SIDE)];
  const patches = Array.from({ length: SIDE * SIDE }, (_, p) => p);
  const points = data as { layer: number; head: number; distance: number }[];
  expect(points).toHaveLength(DEPTH * HEADS);
  for (const { layer, head, distance } of points) {
    const means = layers[layer - 1].flatMap((heads) =>
      patches.map((q) => {
        const row = heads[head][1 + q];
        const [y, x] = at(q);
        const far = patches.map((k) => row[1 + k] * Math.hypot(at(k)[0] - y, at(k)[1] - x));
        return far.reduce((a, b) => a + b) / patches.reduce((sum, k) => sum + row[1 + k], 0);
      }),
    );
    expect(distance).toBeCloseTo(means.reduce((a, b) => a + b) / means.length, 4);
  }
});

// α_c = mean over places of ∂y/∂A_c = (y(A_c + ε) - y(A_c - ε)) / (2ε · H · W), map = relu(Σ α_c A_c).
it("Grad-CAM of an inner layer is what finite differences of the class's logit give", async () => {
  const [dim, layer, epsilon] = [6, "blocks.0", 0.05];
  const context = await contextOf("convmixer", { img_size: 16, dim, depth: 2, patch_size: 4, num_classes: 4 });
  const { data } = await FIGURES.gradcam.draw({ ...context, layer });
  const of = inside(context.model, 1);
  const maps = of.outputs.get(layer) as Tensor;
  const shift = input("shift", "float32", [1, dim, 1, 1]);
  const plain = program("inner", new Map([["maps", maps], ["logits", of.logits]] as const)); // biome-ignore format: pairs
  const shifted = rewrite(plain, (node, inputs) =>
    node === maps.node ? [applyAll(node.op, inputs, node.attrs)[0].add(shift)] : undefined,
  );
  const session = await backend.load(encodeModel(program("shifted", shifted.outputs)));
  for (const [image, { map }] of (data as { map: number[] }[]).entries()) {
    const { input: pixels, target } = context.pictures[image];
    const run = async (values: Float32Array) => {
      const feeds = new Map<string, TensorData>([
        ["image", { dtype: "float32", shape: [1, ...context.model.inputShape], data: pixels }],
        ["shift", { dtype: "float32", shape: [1, dim, 1, 1], data: values }],
      ]);
      return session.run(feeds, { state: context.state });
    };
    const logit = async (c: number, by: number) => {
      const values = new Float32Array(dim);
      values[c] = by;
      return floats(await run(values), "logits")[target];
    };
    const activations = floats(await run(new Float32Array(dim)), "maps");
    const places = map.length;
    const slopes: number[] = [];
    for (let c = 0; c < dim; c++)
      slopes.push(((await logit(c, epsilon)) - (await logit(c, -epsilon))) / (2 * epsilon * places));
    const expected = map.map((_, p) =>
      Math.max(
        0,
        slopes.reduce((sum, slope, c) => sum + slope * activations[c * places + p], 0),
      ),
    );
    const largest = Math.max(...expected);
    expect(largest).toBeGreaterThan(0);
    map.forEach((value, p) => {
      expect(Math.abs(value - expected[p])).toBeLessThan(0.01 * largest);
    });
  }
  await session.dispose();
});
