import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import { TesseraeError } from "../src/errors.ts";
import { panelsToSvg } from "../src/explain/drawing.ts";
import type { FigureContext, Picture } from "../src/explain/figure.ts";
import { cka } from "../src/explain/figures/cka.ts";
import { integratedGradients } from "../src/explain/figures/gradients.ts";
import { FIGURES, figureNames } from "../src/explain/index.ts";
import { answer, floats } from "../src/explain/subject.ts";
import { sizeOf } from "../src/graph/types.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import type { Backend } from "../src/runtime/backend.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(() => backend.dispose());

const TINY: Readonly<Record<string, ModelOptions>> = {
  vit_tiny_patch16_224: { img_size: 32, patch_size: 8, embed_dim: 16, depth: 3, num_heads: 2, num_classes: 4 },
  deit_tiny_distilled_patch16_224: {
    img_size: 32,
    patch_size: 8,
    embed_dim: 16,
    depth: 2,
    num_heads: 2,
    num_classes: 4,
  },
  convmixer: { dim: 12, depth: 2, patch_size: 4, num_classes: 4 },
  resnet18: { img_size: 32, num_classes: 4 },
  mixer_s32_224: { img_size: 32, patch_size: 8, embed_dim: 16, num_blocks: 2, num_classes: 4 },
  pvt_v2_b0: {
    img_size: 64,
    embed_dims: [8, 16, 16, 16],
    num_heads: [1, 2, 2, 2],
    depths: [1, 1, 1, 1],
    num_classes: 4,
  },
  swin_tiny_patch4_window7_224: { img_size: 56, embed_dim: 12, depths: [2, 2], num_heads: [1, 2], num_classes: 4 },
};

const random = (size: number, seed: number): Float32Array => {
  const stream = keyed(seed, "picture");
  return Float32Array.from({ length: size }, () => stream.normal());
};

async function contextOf(name: string, options: ModelOptions = TINY[name], seed = 1): Promise<FigureContext> {
  const model = createModel(name, options);
  const weights = initialize(model, seed);
  const [, height, width] = model.inputShape;
  const pictures = [5, 6].map((s, i): Picture => {
    const data = Uint8Array.from({ length: 3 * height * width }, (_, k) => (k * 37 + s) % 256);
    return { name: `${i}.png`, pixels: { width, height, data }, input: random(sizeOf(model.inputShape), s), target: i };
  });
  const classes = ["ant", "bee", "cat", "dog"];
  return { model, weights, classes, backend, state: await backend.createState(weights), pictures, seed: 0 };
}

const mapsOf = async (figure: string, context: FigureContext): Promise<number[][]> => {
  const { data } = await FIGURES[figure].draw(context);
  return (data as { map: number[] }[]).map((d) => d.map);
};

/** Spearman's: correlation of the ranks. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (v: readonly number[]) => {
    const out = Array<number>(v.length);
    [...v.keys()]
      .sort((i, j) => v[i] - v[j])
      .forEach((i, rank) => {
        out[i] = rank;
      });
    return out;
  };
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (a.length - 1) / 2;
  const dot = (p: number[], q: number[]) => p.reduce((s, v, i) => s + (v - mean) * (q[i] - mean), 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

describe("every figure on every kind of model", () => {
  for (const name of Object.keys(TINY))
    it(`draws ${name}, or says what it lacks`, async () => {
      const context = await contextOf(name);
      let drawn = 0;
      for (const figure of figureNames) {
        try {
          const drawing = await FIGURES[figure].draw(context);
          expect(drawing.caption, figure).toMatch(/\S/);
          expect(JSON.stringify(drawing.data), figure).not.toMatch(/null/);
          if (drawing.kind === "panels") expect(drawing.panels.length, figure).toBeGreaterThan(0);
          drawn++;
        } catch (error) {
          expect(error, figure).toBeInstanceOf(TesseraeError);
          expect((error as TesseraeError).code, figure).toBe("model");
        }
      }
      expect(drawn).toBeGreaterThanOrEqual(5);
    });
});

describe("attributions", () => {
  it("of integrated gradients sum to the difference of the logits of image and mean image", async () => {
    const context = await contextOf("vit_tiny_patch16_224");
    const sums = (await integratedGradients(context)).map((v) => v.reduce((a, b) => a + b, 0));
    for (const [i, { input, target }] of context.pictures.entries()) {
      const images = new Float32Array(2 * input.length);
      images.set(input);
      const logits = floats(
        await answer(context, { images, classes: [0, 0] }, (of) => new Map([["logits", of.logits]])),
        "logits",
      );
      const difference = logits[target] - logits[logits.length / 2 + target];
      expect(Math.abs(sums[i] - difference)).toBeLessThan(0.02 * Math.abs(difference) + 1e-4);
    }
  });

  // With global pooling and one linear layer, ∂y/∂A_c = w_c / (H·W): Grad-CAM is the class activation map (Zhou et al. 2016).
  it("of Grad-CAM are the class activation map of a network that pools", async () => {
    const context = await contextOf("resnet18");
    const [maps] = await mapsOf("gradcam", context);
    const { images, classes } = { images: context.pictures[0].input, classes: [0] };
    const features = floats(
      await answer(context, { images, classes }, (of) => new Map([["maps", of.outputs.get("layer4.1") as never]])),
      "maps",
    );
    const head = context.weights.get("fc.weight")?.data as Float32Array;
    const places = maps.length;
    const expected = maps.map((_, p) => {
      let sum = 0;
      for (let c = 0; c < 512; c++) sum += (head[c] / places) * features[c * places + p];
      return Math.max(0, sum);
    });
    maps.forEach((v, p) => {
      expect(v).toBeCloseTo(expected[p], 5);
    });
  });

  it("of rollout are shares: with the class token's own they sum to one", async () => {
    const context = await contextOf("vit_tiny_patch16_224");
    for (const map of await mapsOf("rollout", context)) {
      const sum = map.reduce((a, b) => a + b, 0);
      expect(Math.min(...map)).toBeGreaterThanOrEqual(0);
      // Three layers keep at least (1/2)^3 at the class token.
      expect(sum).toBeLessThanOrEqual(1 - 0.125 + 1e-5);
      expect(sum).toBeGreaterThan(0.3);
    }
  });

  it("of occlusion are nothing where nothing is covered", async () => {
    const context = await contextOf("convmixer");
    const blank = {
      ...context,
      pictures: context.pictures.map((p) => ({ ...p, input: new Float32Array(p.input.length) })),
    };
    for (const map of await mapsOf("occlusion", blank)) for (const v of map) expect(Math.abs(v)).toBeLessThan(1e-6);
  });

  // Adebayo et al. 2018: an explanation that survives other weights explains nothing of them.
  it.each(["gradcam", "relevance", "rollout", "integrated-gradients", "smoothgrad", "occlusion"])(
    "of %s change with the weights",
    async (figure) => {
      const options = { ...TINY.vit_tiny_patch16_224, patch_size: 4 };
      const before = await mapsOf(figure, await contextOf("vit_tiny_patch16_224", options, 1));
      const after = await mapsOf(figure, await contextOf("vit_tiny_patch16_224", options, 2));
      const again = await mapsOf(figure, await contextOf("vit_tiny_patch16_224", options, 1));
      expect(again).toEqual(before);
      before.forEach((map, i) => {
        expect(Math.abs(rankCorrelation(map, after[i]))).toBeLessThan(0.6);
      });
    },
  );
});

describe("attention", () => {
  it("within windows lies in the window of the middle token and sums to one", async () => {
    const context = await contextOf("swin_tiny_patch4_window7_224");
    const { data } = await FIGURES["window-attention"].draw(context);
    const layers = data as { kind: string; size: number; rows: number[][] }[];
    expect(layers.map((l) => [l.kind, l.size])).toEqual([
      ["window", 14],
      ["shifted window", 14],
    ]);
    for (const { rows, kind } of layers)
      for (const row of rows) {
        const seen = row.flatMap((v, i) => (v > 0 ? [[Math.floor(i / 14), i % 14]] : [])).flat();
        // The middle is (7, 7): in the last plain window, and in the middle of the shifted one.
        const [least, most] = kind === "window" ? [7, 13] : [3, 9];
        expect([Math.min(...seen), Math.max(...seen)]).toEqual([least, most]);
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }
  });

  it("to reduced maps sums to one", async () => {
    const { data } = await FIGURES["reduced-attention"].draw(await contextOf("pvt_v2_b0"));
    const layers = data as { keys: number[]; rows: number[][] }[];
    expect(layers.length).toBeGreaterThanOrEqual(3);
    for (const { rows, keys } of layers)
      for (const row of rows) {
        expect(row).toHaveLength(keys[0] * keys[1]);
        expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
      }
  });
});

describe("similarity of layers", () => {
  const gramOf = (rows: readonly Float32Array[]): Float64Array =>
    Float64Array.from(rows.flatMap((a) => rows.map((b) => a.reduce((sum, v, i) => sum + v * b[i], 0))));
  const n = 32;
  const rows = Array.from({ length: n }, (_, i) => random(16, i));

  it("is one with itself, also turned and scaled, and about nothing with noise", () => {
    const turned = rows.map((r) => Float32Array.from(r, (_, i) => 3 * r[(i + 5) % 16] * (i % 2 ? -1 : 1)));
    const noise = Array.from({ length: n }, (_, i) => random(16, 1000 + i));
    expect(cka(gramOf(rows), gramOf(rows), n)).toBeCloseTo(1, 10);
    expect(cka(gramOf(rows), gramOf(turned), n)).toBeCloseTo(1, 5);
    expect(Math.abs(cka(gramOf(rows), gramOf(noise), n))).toBeLessThan(0.25);
  });

  it("compares two models on the same images, and asks for four", async () => {
    const [a, b] = [await contextOf("vit_tiny_patch16_224"), await contextOf("convmixer")];
    await expect(FIGURES.cka.draw(a)).rejects.toThrow(/4 or more/);
    const many = (c: FigureContext) => ({
      ...c,
      pictures: [0, 1, 2].flatMap((k) => c.pictures.map((p) => ({ ...p, input: random(p.input.length, 50 + k) }))),
    });
    const drawing = await FIGURES.cka.draw({ ...many(a), against: many(b) });
    const values = drawing.data as { layer: string; other: string; similarity: number }[];
    expect(values).toHaveLength(3 * 2);
    for (const { similarity } of values) expect(Number.isFinite(similarity)).toBe(true);
  });
});

describe("a drawing", () => {
  it("keeps hostile names as text", () => {
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    const title = `<script>"&'`;
    const svg = panelsToSvg(
      { kind: "panels", title, caption: title, columns: 1, width: 200, panels: [{ title, image }], data: 0 },
      ["data:,"],
    );
    expect(svg).not.toContain("<script");
    expect(svg.match(/&#60;script&#62;/g)).toHaveLength(4);
  });
});
