import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../models/model.ts";
import type { Size } from "../nn/size.ts";
import { lacks } from "./figure.ts";
import { gridOf, tokenGrid } from "./places.ts";
import { floats, type Inside, inquire, inside, type Subject } from "./subject.ts";
import { placeOf, squareWindows, windowKind } from "./windows.ts";

/** Where the tokens of an attention layer lie on the image. */
export interface Places {
  /** Rows and columns of the map. */
  readonly grid: Size;
  /** [groups, length]: the cell (row · columns + column) of a group's token; -1 for one without a place, as the class token. */
  readonly cells: Int32Array;
  readonly length: number;
}

/** How the tokens that may ask each other are chosen. */
export type AttentionKind = "global" | "reduced" | "window" | "shifted window" | "grid" | "row" | "column";

/** A layer in which tokens ask tokens of their group: all of the image, a window, a row... */
export interface AttentionLayer {
  /** State-dict path of the layer. */
  readonly path: string;
  readonly kind: AttentionKind;
  readonly heads: number;
  readonly groups: number;
  readonly queries: Places;
  readonly keys: Places;
}

/** A layer with its probabilities [n · groups, heads, queries, keys] in a trace of n images. */
export interface TracedLayer extends AttentionLayer {
  readonly probs: Tensor;
}

const PROBS = ".probs";

/** `prefix` tokens without a place, then the cells of the map in order. */
const inOrder = (grid: Size, prefix = 0): Places => {
  const length = prefix + grid[0] * grid[1];
  return { grid, length, cells: Int32Array.from({ length }, (_, t) => (t < prefix ? -1 : t - prefix)) };
};

/** Groups of tokens, each at a row and a column. */
function placed(grid: Size, groups: number, length: number, at: (group: number, token: number) => Size): Places {
  const cells = Int32Array.from({ length: groups * length }, (_, i) => {
    const [row, column] = at(Math.floor(i / length), i % length);
    return row * grid[1] + column;
  });
  return { grid, length, cells };
}

type Layout = Pick<AttentionLayer, "kind" | "queries" | "keys">;

/** Every token of the image asks every token. */
function globalLayout(model: Model, queries: number): Layout | undefined {
  const found = tokenGrid(model, queries);
  const places = found && inOrder(found.size, found.prefix);
  return places && { kind: "global", queries: places, keys: places };
}

/** Every token asks a smaller map (PVT). */
function reducedLayout(model: Model, queries: number, keys: number): Layout | undefined {
  if (keys > queries) return undefined;
  const [from, to] = [gridOf(model, queries), gridOf(model, keys)];
  return from && to && { kind: "reduced", queries: inOrder(from), keys: inOrder(to) };
}

/** Tokens ask within lines of the map (axial attention): groups are columns of the height's layers, rows of the width's. */
function lineLayout(path: string, lines: number, length: number): Layout {
  const down = path.includes("hight_block");
  const grid: Size = down ? [length, lines] : [lines, length];
  const places = placed(grid, lines, length, (line, t) => (down ? [t, line] : [line, t]));
  return { kind: down ? "column" : "row", queries: places, keys: places };
}

/** Tokens ask within square windows of a square map (Swin, MaxViT). */
function windowLayout(path: string, groups: number, length: number): Layout | undefined {
  const [side, count] = [Math.sqrt(length), Math.sqrt(groups)];
  if (!Number.isInteger(side) || !Number.isInteger(count)) return undefined;
  const kind = windowKind(path, count);
  const windows = squareWindows({ side, count, kind });
  const places = placed(windows.map, groups, length, (window, token) => placeOf(windows, window, token) as Size);
  return { kind, queries: places, keys: places };
}

const AXIAL = /\b(hight|width)_block$/;

function layoutOf(model: Model, path: string, groups: number, queries: number, keys: number): Layout | undefined {
  if (AXIAL.test(path)) return queries === keys ? lineLayout(path, groups, queries) : undefined;
  if (groups === 1) return queries === keys ? globalLayout(model, queries) : reducedLayout(model, queries, keys);
  return queries === keys ? windowLayout(path, groups, queries) : undefined;
}

/** The layers of a trace, in order; none in a model without attention. */
export function tracedLayers(model: Model, { taps, image }: Inside): TracedLayer[] {
  return [...taps].flatMap(([name, probs]) => {
    if (!name.endsWith(PROBS) || probs.rank !== 4) return [];
    const path = name.slice(0, -PROBS.length);
    const [n, heads, queries, keys] = probs.shape;
    const groups = n / image.shape[0];
    const layout = layoutOf(model, path, groups, queries, keys);
    return layout ? [{ path, heads, groups, ...layout, probs }] : [];
  });
}

/** The layers of a model in which one can ask where a place of the image looks, in order; none for a model without attention. */
export const attentionLayers = (model: Model): AttentionLayer[] =>
  tracedLayers(model, inside(model, 1)).map(({ probs: _, ...layer }) => layer);

/** What a layer's tokens attend to in one image [C, H, W], normalised: float32 [groups, heads, queries, keys]. */
export interface AttentionProgram {
  ask(input: Float32Array): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Loads the attention of one layer. Throws TesseraeError("model") for a path that is no such layer. */
export async function attentionProgram(subject: Subject, path: string): Promise<AttentionProgram> {
  const inquiry = await inquire(subject, 1, (of) => {
    const layers = tracedLayers(subject.model, of);
    const layer = layers.find((l) => l.path === path);
    if (!layer) throw lacks(subject.model, `no layer of attention ${path}`);
    return new Map([["probs", layer.probs]]);
  });
  return {
    ask: async (input) => floats(await inquiry.ask({ images: input, classes: [0] }), "probs"),
    dispose: () => inquiry.dispose(),
  };
}
