import { describe, expect, it } from "vitest";
import { createModel } from "../models/index.ts";
import { type AttentionLayer, attentionLayers, type Places } from "./attention-layers.ts";

const layersOf = (name: string, options: object) => attentionLayers(createModel(name, { num_classes: 5, ...options }));

const VIT = { img_size: 16, patch_size: 4, embed_dim: 8, depth: 2, num_heads: 2 };
const SWIN = { img_size: 32, patch_size: 2, window_size: 4, embed_dim: 8, depths: [2, 2], num_heads: [1, 2] };

/** Every cell once, whatever the groups. */
function expectCover({ cells, grid }: Places, prefix = 0): void {
  const placed = [...cells].filter((cell) => cell >= 0).sort((a, b) => a - b);
  expect(placed).toEqual(Array.from({ length: grid[0] * grid[1] }, (_, i) => i));
  expect(cells.length - placed.length).toBe(prefix);
}

/** Cells of a group as rows and columns. */
const placesOf = ({ queries: { cells, length, grid } }: AttentionLayer, group: number) =>
  Array.from(cells.subarray(group * length, (group + 1) * length), (c) => [Math.floor(c / grid[1]), c % grid[1]]);

describe("layers of attention", () => {
  it("of ViT are global, the class token without a place", () => {
    const layers = layersOf("vit_tiny_patch16_224", VIT);
    expect(layers.map(({ path, kind, heads, groups }) => [path, kind, heads, groups])).toEqual([
      ["blocks.0.attn", "global", 2, 1],
      ["blocks.1.attn", "global", 2, 1],
    ]);
    expect(layers[0].queries.grid).toEqual([4, 4]);
    expect(layers[0].queries.cells[0]).toBe(-1);
    expectCover(layers[0].queries, 1);
  });

  it("of Swin are windows, every second layer moved by half a window, around the border", () => {
    const layers = layersOf("swin_tiny_patch4_window7_224", SWIN);
    expect(layers.map((l) => [l.kind, l.groups, l.queries.grid])).toEqual([
      ["window", 16, [16, 16]],
      ["shifted window", 16, [16, 16]],
      ["window", 4, [8, 8]],
      ["shifted window", 4, [8, 8]],
    ]);
    for (const { queries } of layers) expectCover(queries);
    expect(placesOf(layers[0], 1)[0]).toEqual([0, 4]);
    expect(placesOf(layers[1], 0)[0]).toEqual([2, 2]);
    expect(placesOf(layers[1], 15).at(-1)).toEqual([1, 1]);
  });

  it("of MaxViT are blocks of neighbours and grids of pixels apart", () => {
    const layers = layersOf("maxvit_pico_rw_256", { img_size: 64 });
    const [block, grid] = [layers.find((l) => l.kind === "window"), layers.find((l) => l.kind === "grid")];
    expectCover((block as AttentionLayer).queries);
    expectCover((grid as AttentionLayer).queries);
    const { groups, queries } = grid as AttentionLayer;
    expect(placesOf(grid as AttentionLayer, 0)[1]).toEqual([0, Math.sqrt(groups)]);
    expect(queries.grid[0] % Math.sqrt(groups)).toBe(0);
  });

  it("of PVT ask a smaller map", () => {
    const [first] = layersOf("pvt_v2_b0", { img_size: 64 });
    expect([first.kind, first.queries.grid, first.keys.grid]).toEqual(["reduced", [16, 16], [2, 2]]);
    expectCover(first.queries);
    expectCover(first.keys);
  });

  it("of axial attention are columns, then rows", () => {
    const layers = layersOf("axial26s", { img_size: 64 });
    expect(layers.slice(0, 2).map((l) => l.kind)).toEqual(["column", "row"]);
    const [column, row] = layers;
    expectCover(column.queries);
    expect(placesOf(column, 3).map(([, x]) => x)).toEqual(Array(column.queries.length).fill(3));
    expect(placesOf(row, 3).map(([y]) => y)).toEqual(Array(row.queries.length).fill(3));
  });

  it("are none where nothing attends, and none are guessed where windows differ by pixel", () => {
    expect(layersOf("resnet18", { img_size: 32 })).toEqual([]);
    expect(layersOf("sasa_resnet26", { img_size: 64 })).toEqual([]);
  });
});
