import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import { TesseraeError } from "../src/errors.ts";
import { panelsToSvg } from "../src/explain/drawing.ts";
import type { FigureContext, Picture } from "../src/explain/figure.ts";
import { cka } from "../src/explain/figures/cka.ts";
import { integratedGradients } from "../src/explain/figures/gradients.ts";
import { lossesAt } from "../src/explain/figures/loss-landscape.ts";
import { FIGURES, figureNames } from "../src/explain/index.ts";
import { filterNormalised } from "../src/explain/landscape.ts";
import { fitted, mapToSvg } from "../src/explain/map-svg.ts";
import { answer, floats } from "../src/explain/subject.ts";
import { sizeOf, type TensorData } from "../src/graph/types.ts";
import { featureModel } from "../src/models/features.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import { initialize, type Weights } from "../src/models/trace.ts";
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
        if (FIGURES[figure].set) continue; // has a test of its own
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

describe("figures of a set", () => {
  const many = async (name: string): Promise<FigureContext> => {
    const context = await contextOf(name);
    const [first] = context.pictures;
    const pictures = Array.from({ length: 20 }, (_, i) => ({
      ...first,
      name: `${i}.png`,
      input: random(first.input.length, 100 + i),
      label: i % 4,
    }));
    return { ...context, pictures };
  };
  /** The features that an independent path gives: the model without its head, one image at a time. */
  const featuresOf = async (context: FigureContext): Promise<number[][]> => {
    const rows: number[][] = [];
    for (const { input } of context.pictures) {
      const body = { ...context, model: featureModel(context.model) };
      const found = await answer(body, { images: input, classes: [0] }, (of) => new Map([["f", of.logits]]));
      rows.push([...floats(found, "f")]);
    }
    return rows;
  };

  it("map embeddings: components hold the variance that they say, and the seed decides UMAP", async () => {
    const context = await many("vit_tiny_patch16_224");
    const drawing = await FIGURES["embedding-map"].draw(context);
    const { explained, images } = drawing.data as {
      explained: number[];
      images: { class: string; components: number[]; umap: number[] }[];
    };
    const rows = (await featuresOf(context)).map((r) => r.map((v) => v / Math.hypot(...r)));
    const means = rows[0].map((_, d) => rows.reduce((sum, r) => sum + r[d], 0) / rows.length);
    const total = rows.reduce((sum, r) => sum + r.reduce((s, v, d) => s + (v - means[d]) ** 2, 0), 0);
    for (const axis of [0, 1]) {
      const held = images.reduce((sum, { components }) => sum + components[axis] ** 2, 0);
      expect(held / total).toBeCloseTo(explained[axis], 5);
    }
    // Distances on the plane are no longer than those of the features, and the product of the axes is 0.
    expect(Math.abs(images.reduce((sum, { components: [x, y] }) => sum + x * y, 0))).toBeLessThan(1e-6 * total);
    expect(images.map((i) => i.class).slice(0, 5)).toEqual(["ant", "bee", "cat", "dog", "ant"]);
    expect((await FIGURES["embedding-map"].draw(context)).data).toEqual(drawing.data);
    const other = (await FIGURES["embedding-map"].draw({ ...context, seed: 1 })).data as typeof drawing.data;
    expect(other).not.toEqual(drawing.data);
    for (const { umap } of images) for (const v of umap) expect(Number.isFinite(v)).toBe(true);
  });

  it("find the nearest neighbours by cosine", async () => {
    const context = await many("convmixer");
    const { data } = await FIGURES.neighbours.draw(context);
    const rows = await featuresOf(context);
    const cosine = (a: number[], b: number[]) =>
      a.reduce((sum, v, i) => sum + v * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
    for (const { image, nearest } of data as { image: string; nearest: { image: string; cosine: number }[] }[]) {
      const own = rows[Number.parseInt(image, 10)];
      const all = rows
        .map((row, i) => ({ image: `${i}.png`, cosine: cosine(own, row) }))
        .filter((n) => n.image !== image)
        .sort((a, b) => b.cosine - a.cosine);
      expect(nearest.map((n) => n.image)).toEqual(all.slice(0, 6).map((n) => n.image));
      nearest.forEach((n, i) => {
        expect(n.cosine).toBeCloseTo(all[i].cosine, 5);
      });
    }
  });

  it.each(["vit_tiny_patch16_224", "resnet18"])(
    "draw the loss around %s as a model of the moved weights has it",
    async (name) => {
      const context = await many(name);
      const lossOf = async (weights: Weights): Promise<number> => {
        const state = await backend.createState(weights);
        const images = Float32Array.from(context.pictures.flatMap((p) => [...p.input]));
        const found = await answer({ ...context, state }, { images, classes: [] }, (of) => new Map([["y", of.logits]]));
        await state.dispose();
        const [logits, k] = [floats(found, "y"), context.classes.length];
        const losses = context.pictures.map(({ label = 0 }, i) => {
          const row = [...logits.subarray(i * k, (i + 1) * k)];
          return Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[label];
        });
        return losses.reduce((a, b) => a + b) / losses.length;
      };
      const directions = [1, 2].map((number) => filterNormalised(context.model, context.weights, 0, number));
      const points = [
        { alpha: 0, beta: 0 },
        { alpha: 0.4, beta: -0.2 },
      ];
      for (const { alpha, beta, loss } of await lossesAt(context, points)) {
        const moved = new Map(context.weights);
        for (const [name, { shape, data, dtype }] of context.weights) {
          const [d, e] = directions.map((direction) => direction.get(name));
          if (d && e)
            moved.set(name, {
              dtype,
              shape,
              data: Float32Array.from(data as Float32Array, (v, i) => v + alpha * d[i] + beta * e[i]),
            });
        }
        expect(loss).toBeCloseTo(await lossOf(moved), 4);
        if (alpha === 0) expect(loss).toBeCloseTo(await lossOf(context.weights), 5);
      }
    },
  );

  it("draw the loss along a line and on a plane, the model in the middle of both", async () => {
    const context = await many("convmixer");
    const { data } = await FIGURES["loss-landscape"].draw(context);
    const { line, plane } = data as Record<"line" | "plane", { alpha: number; beta: number; loss: number }[]>;
    expect([line.length, plane.length]).toEqual([21, 121]);
    const middle = (p: { alpha: number; beta: number }) => Math.hypot(p.alpha, p.beta) < 1e-12;
    expect(plane.find(middle)?.loss).toBe(line.find(middle)?.loss);
    expect(line.find(middle)?.loss).toBe((await lossesAt(context, [{ alpha: 0, beta: 0 }]))[0].loss);
  });

  it("move along filters as long as the model's, and leave biases, norms and statistics", async () => {
    const { model, weights } = await contextOf("resnet18");
    const direction = filterNormalised(model, weights, 0, 1);
    expect([...direction.keys()].filter((name) => /bias|bn|running/.test(name))).toEqual([]);
    const { shape, data } = weights.get("layer1.0.conv1.weight") as TensorData;
    const step = direction.get("layer1.0.conv1.weight") as Float32Array;
    const size = step.length / shape[0];
    for (let f = 0; f < shape[0]; f++) {
      const [w, d] = [data as Float32Array, step].map((v) => Math.hypot(...v.subarray(f * size, (f + 1) * size)));
      expect(d).toBeCloseTo(w, 5);
    }
  });
});

describe("a drawing", () => {
  it("of a map keeps its proportions, holds each image once, and hostile names as text", () => {
    const places = [[0, 0], [4, 1], [2, 0.5]] as const; // biome-ignore format: points
    const inside = fitted(places, 100);
    expect(inside).toEqual([[0, 62.5], [100, 37.5], [50, 50]]); // biome-ignore format: points
    const image = { width: 1, height: 1, data: new Uint8Array(3) };
    const svg = mapToSvg(
      {
        kind: "map",
        title: "map",
        caption: "",
        data: 0,
        arrangements: [
          { title: "a", places },
          { title: "b", places },
        ],
        images: [0, 1, 0].map((group) => ({ name: "<script>", image, group })),
        groups: [
          { name: "<b>", color: "red" },
          { name: "two", color: "blue" },
        ],
      },
      ["data:0", "data:1", "data:2"],
    );
    expect(svg.match(/data:/g)).toHaveLength(3);
    expect(svg.match(/<use /g)).toHaveLength(6);
    expect(svg).not.toMatch(/<script|<b>/);
  });

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
