import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldsByDepth } from "../src/explain/depth-chart.ts";
import type { FigureContext } from "../src/explain/figure.ts";
import { FIGURES } from "../src/explain/index.ts";
import { answer, floats } from "../src/explain/subject.ts";
import type { ModelOptions } from "../src/models/index.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { exampleOf, weight } from "./lecture-subject.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(() => backend.dispose());

const AXIAL = { img_size: 64, layers: [1, 1, 1, 1], scale: 0.0625, groups: 2, num_classes: 3 };
const VIT = { img_size: 24, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2, num_classes: 3 };

async function contextOf(name: string, options: ModelOptions): Promise<FigureContext> {
  const { of, picture } = await exampleOf(backend, name, options);
  return { ...of, pictures: [picture], seed: 0 };
}

const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, v, i) => sum + v * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));

describe("axial attention", () => {
  it("is not taken for windows, though 16 lines of 16 places could be 4 x 4 windows", async () => {
    const context = await contextOf("axial26s", AXIAL);
    await expect(FIGURES["window-attention"].draw(context)).rejects.toThrow("no attention within windows");
  });

  it("is the middle's column, its row, and what the row asks of all columns", async () => {
    const context = await contextOf("axial26s", AXIAL);
    const { data, kind } = await FIGURES["axial-attention"].draw(context);
    expect(kind).toBe("panels");
    const blocks = data as { path: string; size: number[]; images: Record<string, number[]>[] }[];
    expect(blocks.map((b) => [b.path, b.size])).toEqual([
      ["layer2.0", [16, 16]],
      ["layer3.0", [8, 8]],
      ["layer4.0", [4, 4]],
    ]);
    const [{ path, images }] = blocks;
    const taps = await answer(
      context,
      { images: context.pictures[0].input, classes: [0] },
      (of) => new Map(["hight", "width"].map((axis) => [axis, of.taps.get(`${path}.${axis}_block.probs`) as never])),
    );
    // [16 lines, 2 heads, 16 queries, 16 keys]
    const at = (axis: string, line: number, query: number, key: number) =>
      [0, 1].reduce((sum, h) => sum + floats(taps, axis)[((line * 2 + h) * 16 + query) * 16 + key] / 2, 0);
    const { column, row, both } = images[0];
    for (let i = 0; i < 16; i++)
      for (let j = 0; j < 16; j++) {
        expect(column[i * 16 + j]).toBeCloseTo(j === 8 ? at("hight", 8, 8, i) : 0, 6);
        expect(row[i * 16 + j]).toBeCloseTo(i === 8 ? at("width", 8, 8, j) : 0, 6);
        expect(both[i * 16 + j]).toBeCloseTo(at("width", 8, 8, j) * at("hight", j, 8, i), 6);
      }
    for (const map of [column, row, both]) expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  it("is missed with a word where there is none", async () => {
    const context = await contextOf("vit_tiny_patch16_224", VIT);
    await expect(FIGURES["axial-attention"].draw(context)).rejects.toThrow(/no attention along rows and columns/);
  });
});

describe("similarity of positions", () => {
  const drawn = async (name: string, options: ModelOptions) => {
    const { of, picture } = await exampleOf(backend, name, options);
    const { data } = await FIGURES.positions.draw({ ...of, pictures: [], seed: 0 });
    return { example: { of, picture }, data };
  };

  it("of a 2-D table is that of rows and columns side by side", async () => {
    const { example, data } = await drawn("vit_tiny_patch16_224", { ...VIT, pos_embed: "2d" });
    const [y, x] = [weight(example, "pos_grid.y"), weight(example, "pos_grid.x")];
    const place = (i: number) => [
      ...y.slice(Math.floor(i / 3) * 8, Math.floor(i / 3) * 8 + 8),
      ...x.slice((i % 3) * 8, (i % 3) * 8 + 8),
    ];
    const { grid, cosine: maps } = data as { grid: number[]; cosine: number[][] };
    expect(grid).toEqual([3, 3]);
    for (let i = 0; i < 9; i++)
      for (let j = 0; j < 9; j++) expect(maps[i][j]).toBeCloseTo(cosine(place(i), place(j)), 5);
  });

  it("of sines is that of the formula, without the class token's", async () => {
    const { data } = await drawn("vit_tiny_patch16_224", { ...VIT, pos_embed: "sinusoidal" });
    const sines = (p: number) =>
      Array.from({ length: 16 }, (_, i) => {
        const angle = p / 10000 ** ((2 * Math.floor(i / 2)) / 16);
        return i % 2 ? Math.cos(angle) : Math.sin(angle);
      });
    const { cosine: maps } = data as { cosine: number[][] };
    for (let i = 0; i < 9; i++)
      for (let j = 0; j < 9; j++) expect(maps[i][j]).toBeCloseTo(cosine(sines(i + 1), sines(j + 1)), 5);
  });

  it.each([
    ["vit_tiny_patch16_224", { ...VIT, pos_embed: "relative" }, false],
    [
      "maxvit_tiny_tf_224",
      { img_size: 64, embed_dim: [8], depths: [1], stem_width: [4, 8], window_size: 4, dim_head: 4 },
      true,
    ],
  ])("of relative positions is the bias of every pair, heads averaged: %s", async (name, options, headsFirst) => {
    const { example, data } = await drawn(name, options);
    const { table, grid, bias } = data as { table: string; grid: [number, number]; bias: number[][] };
    const values = weight(example, table);
    const [side, offsets] = [grid[0], 2 * grid[0] - 1];
    for (let q = 0; q < side * side; q++)
      for (let k = 0; k < side * side; k++) {
        const [dy, dx] = [Math.floor(k / side) - Math.floor(q / side), (k % side) - (q % side)];
        const cell = (sign: number) => (sign * dy + side - 1) * offsets + sign * dx + side - 1;
        const mean = headsFirst
          ? (values[cell(1)] + values[offsets * offsets + cell(1)]) / 2
          : (values[2 * cell(-1)] + values[2 * cell(-1) + 1]) / 2;
        expect(bias[q][k]).toBeCloseTo(mean, 6);
      }
  });

  it("of offsets along an axis is drawn for axial and for local attention, table by table", async () => {
    const { example, data } = await drawn("axial26s", AXIAL);
    const [first] = data as { table: string; offsets: number; cosine: number[][] }[];
    expect([first.table, first.offsets]).toEqual(["layer1.0.hight_block.relative", 31]);
    const values = weight(example, first.table);
    const vector = (o: number) => Array.from({ length: values.length / 31 }, (_, c) => values[c * 31 + o]);
    for (const [a, b] of [
      [0, 30],
      [4, 5],
      [15, 15],
    ])
      expect(first.cosine[a][b]).toBeCloseTo(cosine(vector(a), vector(b)), 5);
    const local = await drawn("sasa_resnet26", {
      img_size: 32,
      layers: [1, 1, 1, 1],
      channels: [8, 8, 8, 8],
      num_heads: 2,
    });
    const tables = local.data as { table: string; offsets: number }[];
    expect(tables.slice(0, 2).map((t) => [t.table, t.offsets])).toEqual([
      ["layer1.0.attn.relative.rows", 7],
      ["layer1.0.attn.relative.columns", 7],
    ]);
  });

  it("is missed with a word where a model has none", async () => {
    const { of } = await exampleOf(backend, "convmixer", { dim: 4, depth: 1, num_classes: 3 });
    await expect(FIGURES.positions.draw({ ...of, pictures: [], seed: 0 })).rejects.toThrow(/no table of positions/);
  });
});

describe("receptive field by depth", () => {
  it("is measured at the first layer, the first block and the last, however deep the model", async () => {
    const context = await contextOf("vit_tiny_patch16_224", { ...VIT, depth: 30 });
    const fields = await fieldsByDepth(context);
    expect(fields.map((f) => f.depth).filter((d) => d < 2 || d === 30)).toEqual([0, 1, 30]);
    expect(fields.map((f) => f.attends)).toEqual(fields.map((f) => f.depth > 0));
    expect(fields.length).toBeLessThanOrEqual(12);
  });

  it("has an effective area within what kernels reach, by the gradient of the middle place", async () => {
    const context = await contextOf("convmixer", { img_size: 32, dim: 4, depth: 3, kernel_size: 3, patch_size: 2 });
    const fields = await fieldsByDepth(context);
    expect(fields.map((f) => f.composed?.[0])).toEqual([2, 6, 10, 14]);
    for (const { composed = [0, 0], area = 1 } of fields) {
      expect(area * 32 * 32).toBeLessThanOrEqual(composed[0] * composed[1]);
      expect(area).toBeGreaterThan(0);
    }
    const { data } = await FIGURES["receptive-field-depth"].draw(context);
    expect(data).toEqual(fields);
  });
});
