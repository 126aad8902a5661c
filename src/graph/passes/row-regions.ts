import { divisors } from "../divisors.ts";
import type { Node, Tensor } from "../tensor.ts";
import { isOperator, nodesOf, readersOf } from "../walk.ts";

/** Operators that work element by element, with broadcasting. */
export const ELEMENTWISE: ReadonlySet<string> = new Set(
  (
    "Abs Add And Cast Div Elu Equal Erf Exp FusedGelu Greater GreaterOrEqual HardSigmoid HardSwish LeakyRelu Less LessOrEqual Log Max " +
    "Min Mul Neg Not Or Pow Reciprocal Relu Sigmoid Sign Softplus Sqrt Sub Tanh Where"
  ).split(" "),
);
const REDUCTIONS = new Set(["ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceMax"]);
/** Reductions whose parts over rows add up. */
const SUMS = new Set(["ReduceSum", "ReduceSumSquare"]);
/** Cheap enough to be computed again rather than written to memory and read. */
const CHEAP = new Set(
  "Add And Cast Equal Expand Greater HardSigmoid Less Max Min Mul Neg Not Or Relu Sub Where".split(" "),
);
/** So slow that what they give is rather read again where others need it too. */
const COSTLY = new Set(["FusedGelu"]);

const MIN_NODES = 2;
const MAX_CONE = 24;

/**
 * How an operator treats the first axis of size `rows`: "rows" gives an entry for each entry of its inputs, "sum" adds them
 * up. `whole[i]`: input i has no such axis; every row sees it whole.
 */
export interface RowKind {
  readonly kind: "rows" | "sum";
  readonly rows: number;
  readonly whole: readonly boolean[];
}

/** Connected operators of one kind of rows, such that no path leaves them and comes back. */
export interface Region {
  readonly rows: number;
  /** Entries of the second axis, where a row alone is too large for a chunk and parts of that axis can be worked on apart. */
  readonly channels?: number;
  /** Whose outputs the region gives to others. */
  readonly own: Set<Node>;
  /** `own`, and what is computed again here instead of being read. */
  readonly all: Set<Node>;
}

export function rowKind(node: Node): RowKind | undefined {
  const [y] = node.outputs;
  const inputs = node.inputs as readonly Tensor[];
  const [x] = inputs;
  if (!x || inputs.some((t) => !t || t.shape.some((d) => d < 0)) || !["float32", "bool"].includes(y.dtype))
    return undefined;
  if (REDUCTIONS.has(node.op)) {
    const overRows = (node.attrs.axes as readonly number[]).includes(0);
    if (x.rank < 2 || x.shape[0] < 2 || (overRows && !SUMS.has(node.op))) return undefined;
    return { kind: overRows ? "sum" : "rows", rows: x.shape[0], whole: [false] };
  }
  if (node.op !== "Expand" && !ELEMENTWISE.has(node.op)) return undefined;
  const rows = y.shape[0];
  const whole = inputs.map((t) => t.rank < y.rank || t.shape[0] !== rows);
  if (y.rank < 2 || rows < 2 || whole.every((w) => w) || (node.op === "Expand" && whole[0])) return undefined;
  return { kind: "rows", rows, whole };
}

/** The inputs of a node that its rows follow. */
export const rowInputs = (node: Node, { whole }: RowKind): Tensor[] =>
  (node.inputs as readonly Tensor[]).filter((_, i) => !whole[i]);

/** A chunk has this share of the elements of a large tensor, half as many again at most and an eighth at least. */
const CHUNK = 1 / 4;

/** Of the ways to cut `count` entries with `size` elements into equal chunks, the one closest to the right size. */
export function cutInto(count: number, size: number, large: number): number | undefined {
  const distance = (parts: number): number => Math.abs(Math.log2(size / parts / (large * CHUNK)));
  const fitting = divisors(count).filter((d) => size / d <= 1.5 * CHUNK * large && size / d >= (CHUNK * large) / 8);
  return fitting.sort((a, b) => distance(a) - distance(b))[0];
}

/** Regions with tensors of at least `large` elements, which fall into chunks that stay in the cache. */
export function rowRegions(outputs: ReadonlyMap<string, Tensor>, large: number): Region[] {
  const nodes = nodesOf(outputs.values());
  const loss = outputs.get("loss");
  const forward = new Set(loss ? nodesOf([loss]) : []);
  const kinds = new Map(nodes.map((n) => [n, isOperator(n) ? rowKind(n) : undefined]));
  const readers = readersOf(nodes);
  const regions = connected(nodes, kinds, large).flatMap((region): Region[] => {
    const { own, rows } = region;
    const size = Math.max(...[...own].map(sizeOfNode));
    if (own.size < MIN_NODES || size < large) return [];
    if (cutInto(rows, size, large)) return [region];
    const channels = separateChannels(own, readers);
    return channels && cutInto(channels, size / rows, large) ? [{ ...region, channels }] : [];
  });
  const fused = new Set(regions.flatMap(({ own }) => [...own]));
  for (const region of regions) recompute(region, kinds, { readers, fused, large, forward });
  return regions;
}

/**
 * The size of the second axis, if operators keep its entries apart: their tensors [N, C, ...] have C of them or one, nothing is
 * summed over it, and what others read has all C.
 */
function separateChannels(own: ReadonlySet<Node>, readers: Readers): number | undefined {
  const channels = Math.max(...[...own].map((n) => (n.inputs[0] as Tensor).shape[1] ?? 1));
  const leadsOut = ([y]: readonly Tensor[]): boolean => readers.get(y)?.every((n) => own.has(n)) !== true;
  const apart = [...own].every(
    (n) =>
      keepsApart(n, channels) &&
      (!leadsOut(n.outputs) || (n.inputs as readonly Tensor[]).some((t) => t.shape[1] === channels)),
  );
  return channels > 1 && apart ? channels : undefined;
}

/** Tensors without a second axis of their own are scalars or run along the last axis. */
function keepsApart({ op, attrs, inputs, outputs: [y] }: Node, channels: number): boolean {
  const fits = (t: Tensor): boolean => t.shape[1] === 1 || t.shape[1] === channels;
  const all = inputs as readonly Tensor[];
  if (REDUCTIONS.has(op)) return fits(all[0]) && !(attrs.axes as readonly number[]).includes(1);
  return fits(y) && all.every((t) => (t.rank === y.rank ? fits(t) : t.rank === 0 || (t.rank === 1 && y.rank > 2)));
}

type Kinds = ReadonlyMap<Node, RowKind | undefined>;
type Readers = ReadonlyMap<Tensor, readonly Node[]>;

const sizeOfNode = (n: Node): number => Math.max(n.outputs[0].size, (n.inputs[0] as Tensor).size);

/**
 * Every step from an operator of another kind into one of rows raises a level, so a path that leaves a region comes back
 * on a higher one: operators of one level that are connected have no such path between them.
 */
function connected(nodes: readonly Node[], kinds: Kinds, large: number): Region[] {
  const levels = new Map<Node, number>();
  const groups = new Map<Node, { own: Set<Node>; rows: number }>();
  const readers = new Map<string, Node>();
  for (const node of nodes) {
    const kind = kinds.get(node);
    const joins = (t: Tensor): boolean => {
      const from = kinds.get(t.node);
      return from?.kind === "rows" && from.rows === kind?.rows;
    };
    const near = kind ? rowInputs(node, kind) : [];
    const level = node.inputs.reduce((most, t) => {
      if (!t) return most;
      const inside = !kind || (near.includes(t) && joins(t));
      return Math.max(most, (levels.get(t.node) as number) + (inside ? 0 : 1));
    }, 0);
    levels.set(node, level);
    if (!kind) continue;
    const neighbours = near.flatMap((t) => {
      if (joins(t)) return levels.get(t.node) === level ? [t.node] : [];
      if (t.size < large) return [];
      const key = `${level} ${kind.rows} ${t.node.id}.${t.index}`;
      const other = readers.get(key);
      readers.set(key, node);
      return other && other !== node ? [other] : [];
    });
    join(groups, node, kind.rows, neighbours);
  }
  return [...new Set(groups.values())].map(({ own, rows }) => ({ own, rows, all: new Set(own) }));
}

function join(
  groups: Map<Node, { own: Set<Node>; rows: number }>,
  node: Node,
  rows: number,
  neighbours: readonly Node[],
): void {
  const group = neighbours.length
    ? (groups.get(neighbours[0]) as { own: Set<Node>; rows: number })
    : { own: new Set<Node>(), rows };
  group.own.add(node);
  groups.set(node, group);
  for (const other of neighbours.slice(1))
    for (const n of groups.get(other)?.own ?? []) {
      group.own.add(n);
      groups.set(n, group);
    }
}

interface Surroundings {
  readonly readers: Readers;
  /** Nodes of any region. */
  readonly fused: ReadonlySet<Node>;
  /** Nodes of the pass before the loss is known. */
  readonly forward: ReadonlySet<Node>;
  readonly large: number;
}

/**
 * Takes earlier operators into a region, to be computed again, where that reads no more of memory: from tensors that it
 * reads anyway, or from one instead of another if the operators are cheap or nobody else needs their result. What the forward
 * pass writes for others is read there: it is not kept for long.
 */
function recompute(region: Region, kinds: Kinds, { readers, fused, large, forward }: Surroundings): void {
  const { channels } = region;
  const early = [...region.own].every((n) => forward.has(n));
  const isWritten = (t: Tensor): boolean =>
    early && readers.get(t)?.some((n) => !fused.has(n) && forward.has(n)) === true;
  for (let again = true; again; ) {
    again = false;
    const read = largeInputs(region, kinds, large);
    for (const t of read) {
      const alone = readers.get(t)?.every((n) => region.all.has(n)) ?? false;
      if (!alone && COSTLY.has(t.node.op)) continue;
      // What is in no region is a pass of its own: better taken in by its readers, one operator at a time.
      const cone = coneOf(t, region.rows, kinds, { most: fused.has(t.node) ? MAX_CONE : 1, large });
      if (!cone || (channels && !cone.nodes.every((n) => keepsApart(n, channels)))) continue;
      const more = [...cone.leaves].filter((leaf) => !read.has(leaf));
      const cheap = cone.nodes.every((n) => CHEAP.has(n.op));
      if (more.length > 0 && (isWritten(t) || !(more.length === 1 && (cheap || alone)))) continue;
      for (const n of cone.nodes) region.all.add(n);
      again = true;
      break;
    }
  }
}

/** Large tensors that a region reads row by row. */
function largeInputs({ all }: Region, kinds: Kinds, large: number): Set<Tensor> {
  const found = new Set<Tensor>();
  for (const n of all)
    for (const t of rowInputs(n, kinds.get(n) as RowKind)) if (!all.has(t.node) && t.size >= large) found.add(t);
  return found;
}

interface Cone {
  readonly nodes: readonly Node[];
  /** The large tensors that it begins with. */
  readonly leaves: ReadonlySet<Tensor>;
}

/** Operators of rows that t is made by, back to costly ones: all, if they are at most as many as `most`; the last one, where that is 1. */
function coneOf(
  t: Tensor,
  rows: number,
  kinds: Kinds,
  { most, large }: { most: number; large: number },
): Cone | undefined {
  const nodes = new Set<Node>();
  const leaves = new Set<Tensor>();
  const stack = [t];
  while (stack.length) {
    const next = stack.pop() as Tensor;
    const kind = kinds.get(next.node);
    const stops = most === 1 || COSTLY.has(next.node.op);
    const ends = kind?.kind !== "rows" || kind.rows !== rows || (stops && next !== t);
    if (ends && next === t) return undefined;
    if (ends && next.size >= large) leaves.add(next);
    if (ends || nodes.has(next.node)) continue;
    nodes.add(next.node);
    if (nodes.size > most) return undefined;
    stack.push(...rowInputs(next.node, kind));
  }
  return { nodes: [...nodes], leaves };
}
