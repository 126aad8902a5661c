import type { Node, Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Size } from "../nn/size.ts";
import type { Model, StageNotes } from "./model.ts";
import { productMacs, traceImage } from "./statistics.ts";

/** A stage of a model: a list of blocks, or what lies before, between and behind such lists. */
export interface StageRow {
  /** State-dict paths of its parts. */
  readonly stage: string;
  /** For one image: [C, H, W], tokens [L, C], or a vector [C]. */
  readonly output: readonly number[];
  /** Image pixels per pixel or token of the output, along a side. */
  readonly stride?: number;
  readonly channels: number;
  /** Sides of the convolutions larger than a pixel. */
  readonly kernel?: readonly number[];
  /** Blocks; for a plain list of layers, its convolutions. */
  readonly depth?: number;
  readonly heads?: number;
  /** What the family adds: window, reduction... */
  readonly notes: StageNotes;
  readonly parameters: number;
  readonly gmacs: number;
}

/** The stages of a model in the order in which an image passes, from its modules and its traced graph. */
export function stageTable(model: Model): StageRow[] {
  const rows = partition(model);
  const rowOf = lookup(rows);
  const output = traceImage(model);
  const nodes = nodesOf([output]);
  const onImage = imageNodes(nodes);
  const at = new Map<Node, number>();
  // Nodes that the network makes between its parts go with the part before.
  let current = 0;
  for (const node of nodes)
    if (onImage.has(node)) at.set(node, (current = node.op === "Input" ? 0 : (rowOf(node.scope) ?? current)));
  // What does not depend on the image, such as bias tables, goes with the first to read it.
  for (const node of nodes.toReversed())
    for (const t of node.inputs) {
      const row = at.get(node);
      if (t && row !== undefined && !onImage.has(t.node)) at.set(t.node, Math.min(row, at.get(t.node) ?? row));
    }
  const parameters = parametersOf(model, rows.length, rowOf, nodes, at);
  let stage = 0;
  return rows
    .map((row, i): StageRow => {
      const own = nodes.filter((n) => at.get(n) === i);
      const end = boundary(own, output, nodes, at, onImage);
      const out = channelsFirst(end.shape.slice(1), model.inputShape);
      const convs = own.filter((n) => n.op === "Conv" && onImage.has(n));
      const side = sideOf(model, row, out, convs);
      const depth = row.depth ?? (row.layers ? convs.length : undefined);
      return {
        stage: row.name,
        output: out,
        stride: side && Math.round(model.inputShape[1] / side[0]),
        channels: out.length === 3 ? out[0] : out[out.length - 1],
        kernel: kernels(convs, side),
        depth,
        heads: headsOf(own.filter((n) => onImage.has(n))),
        notes: (row.depth !== undefined && model.stage?.(stage++)) || {},
        parameters: parameters[i],
        gmacs: own.reduce((sum, n) => sum + productMacs(n), 0) / 1e9,
      };
    })
    .filter((row) => row.parameters > 0 || row.gmacs > 0);
}

// --- which modules make a stage

interface Part {
  readonly path: string;
  readonly kids: readonly Part[];
  /** An array, or children named 0, 1, 2... */
  readonly list: boolean;
  readonly slots: boolean;
}

interface Row {
  readonly name: string;
  readonly paths: readonly string[];
  readonly depth?: number;
  /** A run of layers of a plain list. */
  readonly layers?: boolean;
}

const under = (path: string, key: string | number): string => (path ? `${path}.${key}` : String(key));

function part(path: string, child: AnyModule | readonly AnyModule[]): Part {
  const entries: [string, AnyModule | readonly AnyModule[]][] = Array.isArray(child)
    ? child.map((c, i) => [String(i), c])
    : Object.entries((child as AnyModule).children as Record<string, AnyModule>);
  const kids = entries.filter(([, c]) => c && !("slot" in c)).map(([key, c]) => part(under(path, key), c));
  const slots = entries.some(([, c]) => c && "slot" in c) || kids.some((k) => k.slots);
  return { path, kids, list: kids.length > 0 && entries.every(([key]) => /^\d+$/.test(key)), slots };
}

/** A list whose every entry is made of parts: blocks of one stage. A list that holds such lists is none itself. */
const isBlocks = (p: Part): boolean => p.list && p.kids.every((k) => k.kids.length > 0) && !holdsBlocks(p);
const holdsBlocks = (p: Part): boolean => p.kids.some((k) => isBlocks(k) || holdsBlocks(k));

function partition(model: Model): Row[] {
  const plain = (row?: Row): row is Row => row !== undefined && row.depth === undefined && !row.layers;
  const rows: Row[] = [];
  for (const row of part("", model.forward as AnyModule).kids.flatMap((p) => rowsOf(p, model))) {
    const before = rows[rows.length - 1];
    if (plain(before) && plain(row)) rows[rows.length - 1] = join(before, row);
    else rows.push(row);
  }
  return rows;
}

const join = (a: Row, b: Row): Row => ({
  name: [a.name, b.name].filter((name) => name).join(", "),
  paths: [...a.paths, ...b.paths],
});

/** Parts that own nothing, such as a pooling, stay unnamed. */
const plainRow = (parts: readonly Part[]): Row => ({
  name: parts
    .filter((p) => p.slots)
    .map((p) => p.path)
    .join(", "),
  paths: parts.map((p) => p.path),
});

function rowsOf(p: Part, model: Model): Row[] {
  if (isBlocks(p)) return [{ name: p.path, paths: [p.path], depth: p.kids.length }];
  if (!holdsBlocks(p)) return layerRows(p, model);
  const lists = p.kids.filter(isBlocks);
  if (lists.length === 1 && p.kids.every((k) => !holdsBlocks(k)))
    return [{ name: p.path, paths: [p.path], depth: lists[0].kids.length }];
  return p.kids.flatMap((k) => rowsOf(k, model));
}

/** A plain list of layers is cut behind each feature map that it gives (VGG). */
function layerRows(p: Part, { featureInfo }: Model): Row[] {
  const ends = featureInfo.map((f) => p.kids.findIndex((k) => k.path === f.module)).filter((i) => i >= 0);
  if (!p.list || ends.length < 2) return [plainRow([p])];
  return ends
    .map((end, i) => p.kids.slice(i ? ends[i - 1] + 1 : 0, end + 1))
    .map((layers) => {
      if (!layers.some((k) => k.slots)) return plainRow(layers);
      const last = layers[layers.length - 1].path.slice(p.path.length + 1);
      return { name: `${layers[0].path}-${last}`, paths: layers.map((k) => k.path), layers: true };
    });
}

/** The row of a path: that of the nearest module above it that has one. */
function lookup(rows: readonly Row[]): (path: string) => number | undefined {
  const known = new Map(rows.flatMap((row, i) => row.paths.map((path) => [path, i] as const)));
  return (path) => {
    for (let p = path; p; p = p.slice(0, Math.max(0, p.lastIndexOf(".")))) if (known.has(p)) return known.get(p);
    return undefined;
  };
}

// --- what a stage does

/** Nodes that depend on the image. */
export function imageNodes(nodes: readonly Node[]): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (const node of nodes)
    if ((node.op === "Input" && node.attrs.name === "image") || node.inputs.some((t) => t && found.has(t.node)))
      found.add(node);
  return found;
}

/** Trained values of each row; those of the network itself go with what reads them. */
function parametersOf(
  model: Model,
  count: number,
  rowOf: (path: string) => number | undefined,
  nodes: readonly Node[],
  at: ReadonlyMap<Node, number>,
): number[] {
  const readAt = new Map(nodes.filter((n) => n.op === "Input").map((n) => [n.attrs.name as string, at.get(n)]));
  const sums = Array<number>(count).fill(0);
  for (const { slot, name, shape } of model.slots)
    if (slot === "parameter") sums[rowOf(name) ?? readAt.get(name) ?? count - 1] += sizeOf(shape);
  return sums;
}

/** The last tensor of a row that another row reads. */
function boundary(
  own: readonly Node[],
  output: Tensor,
  nodes: readonly Node[],
  at: ReadonlyMap<Node, number>,
  onImage: ReadonlySet<Node>,
): Tensor {
  const row = at.get(own[0]);
  if (at.get(output.node) === row) return output;
  const read = nodes
    .filter((n) => at.get(n) !== row)
    .flatMap((n) => n.inputs)
    .filter((t): t is Tensor => t !== undefined && at.get(t.node) === row && onImage.has(t.node));
  return read.reduce((a, b) => (b.node.id >= a.node.id ? b : a));
}

/** [C, H, W] of a map that may be [H, W, C]: height and width are in the image's proportion. */
function channelsFirst(shape: readonly number[], [, height, width]: readonly number[]): readonly number[] {
  if (shape.length !== 3) return shape;
  const [a, b, c] = shape;
  const off = (h: number, w: number): number => Math.abs(Math.log((h * width) / (w * height)));
  return off(b, c) <= off(a, b) ? shape : [c, a, b];
}

/** Height and width of a row's output, or of the map that its tokens are. */
function sideOf(model: Model, row: Row, out: readonly number[], convs: readonly Node[]): Size | undefined {
  if (out.length === 3) return [out[1], out[2]];
  if (out.length === 1) return undefined;
  const info = model.featureInfo.find((f) => row.paths.some((p) => f.module === p || f.module.startsWith(`${p}.`)));
  const [, height, width] = model.inputShape;
  if (info) return [Math.ceil(height / info.reduction), Math.ceil(width / info.reduction)];
  const map = convs.at(-1)?.outputs[0].shape;
  return map && [map[2], map[3]];
}

/** Those of convolutions that shrink the map for keys and values only are left out. */
function kernels(convs: readonly Node[], side: Size | undefined): readonly number[] | undefined {
  const area = side ? side[0] * side[1] : 1;
  const sides = convs
    .filter((n) => 2 * sizeOf(n.outputs[0].shape.slice(2)) > area)
    .flatMap((n) => (n.inputs[1] as Tensor).shape.slice(2))
    .filter((k) => k > 1);
  return sides.length > 0 ? [...new Set(sides)].sort((a, b) => a - b) : undefined;
}

/** Of the probabilities [..., heads, queries, keys]. */
const headsOf = (nodes: readonly Node[]): number | undefined =>
  nodes.find((n) => n.op === "Softmax" && n.outputs[0].rank === 4)?.outputs[0].shape[1];
