import { TesseraeError } from "../../errors.ts";
import { applyAll, type Node, type Tensor, withScope } from "../tensor.ts";
import { byteSize } from "../types.ts";
import { isOperator, nodesOf, sourceOf } from "../walk.ts";

/** A training graph of which a part is to be computed twice. */
export interface Recomputation {
  readonly loss: Tensor;
  /** The input that activations are computed from. */
  readonly source: Tensor;
  readonly gradients: readonly Tensor[];
  /** `cutsOf(loss, source)`, and the loss's gradient of each. */
  readonly cuts: readonly Tensor[];
  readonly cutGradients: readonly Tensor[];
}

export interface Recomputed {
  readonly gradients: readonly Tensor[];
  /** Activations that wait for the backward pass, in bytes: at most so many at once, and as many as before. */
  readonly bytes: { readonly now: number; readonly before: number };
}

/** A recomputation that leaves more than this part of the bytes is not worth a second forward pass. */
const WORTH = 0.8;

/**
 * Tensors through which every path from the source to what comes after them goes, such as the residual stream between
 * two branches. Found in the order of the graph, where nothing else that depends on the source is still to be read.
 */
export function cutsOf(loss: Tensor, source: Tensor): Tensor[] {
  const { active } = activations(loss, source);
  const lastReader = new Map<Tensor, number>();
  for (const node of active) for (const t of node.inputs) if (t) lastReader.set(t, node.id);
  const cuts: Tensor[] = [];
  let live: Tensor[] = [];
  for (const node of active) {
    const read = (t: Tensor): boolean => (lastReader.get(t) ?? -1) > node.id;
    live = [...live, ...node.outputs].filter(read);
    if (live.length === 1 && live[0].node === node && live[0].dtype === "float32") cuts.push(live[0]);
  }
  return cuts;
}

/** The nodes of the forward graph, and those among them that depend on the source, in order. */
function activations(loss: Tensor, source: Tensor) {
  const forward = nodesOf([loss]);
  const dependent = new Set<Node>([source.node]);
  for (const node of forward) if (node.inputs.some((t) => t && dependent.has(t.node))) dependent.add(node);
  return { forward: new Set(forward), active: forward.filter((n) => dependent.has(n) && n !== source.node) };
}

/**
 * Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174) as a rewrite of the gradients: of the forward pass only
 * some cuts are kept, and what lies between two of them is computed again just before its gradients are. Which cuts
 * those are follows from the sizes of what the gradients read: the least sum of the kept cuts and the largest part
 * between two. The second computation starts from the cut plus a zero that is made of the gradients so far, so that no
 * runtime can do it early or take it for the first. Noise is a hash of its place: it comes out the same.
 * Throws TesseraeError("usage") where that saves too little.
 */
export function recompute(given: Recomputation): Recomputed {
  const { forward, active } = activations(given.loss, given.source);
  const backward = nodesOf(given.gradients).filter((node) => !forward.has(node));
  const saved = savedBytes(backward, forward);
  const before = sum(saved.values());
  const plan = choose(given.cuts, saved, before);
  if (plan.bytes > WORTH * before)
    throw new TesseraeError(
      "usage",
      `gradient checkpointing would keep ${mebibytes(plan.bytes)} of the ${mebibytes(before)} MiB of activations`,
      {
        hint: "Leave --grad-checkpointing out for this model, or take smaller batches with --grad-accum-steps",
      },
    );
  const replay = replayer(given, plan.kept, new Set(active));
  const image = new Map<Tensor, Tensor>();
  const mapped = (t: Tensor): Tensor => image.get(t) ?? t;
  for (const node of backward) {
    withScope(node.scope, () => {
      const inputs = node.inputs.map((t) => t && (forward.has(t.node) ? replay(t, node, mapped) : mapped(t)));
      if (inputs.every((t, i) => t === node.inputs[i])) return;
      const outputs = applyAll(node.op, inputs, node.attrs);
      node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
    });
  }
  return { gradients: given.gradients.map(mapped), bytes: { now: plan.bytes, before } };
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const bytesOf = (t: Tensor): number => t.size * byteSize(t.dtype);

/** Forward tensors that the gradients read, and their bytes. */
function savedBytes(backward: readonly Node[], forward: ReadonlySet<Node>): Map<Tensor, number> {
  const read = backward.flatMap(({ inputs }) => inputs.flatMap((t) => (t && forward.has(t.node) ? [sourceOf(t)] : [])));
  const computed = read.filter(({ node }) => isOperator(node));
  return new Map(computed.map((t) => [t, bytesOf(t)]));
}

/**
 * Of the cuts those to keep, and the bytes that then wait at most: for each bound on what lies between two kept ones,
 * the cheapest chain of cuts that respects it. What comes before the first cut is kept as it is.
 */
function choose(
  cuts: readonly Tensor[],
  saved: ReadonlyMap<Tensor, number>,
  total: number,
): { kept: Tensor[]; bytes: number } {
  const ids = [...cuts.map((t) => t.node.id), Number.POSITIVE_INFINITY];
  const within = (from: number, to: number): number =>
    sum([...saved].map(([t, bytes]) => (t.node.id > from && t.node.id < to ? bytes : 0)));
  const gaps = ids.slice(1).map((id, i) => within(ids[i], id));
  const before = within(-1, ids[0]);
  const all = sum(gaps);
  let best = { kept: [] as Tensor[], bytes: total };
  for (let bound = Math.max(0, ...gaps); bound < all; bound = bound * 1.1 + 1) {
    const { kept, largest } = chain(cuts, gaps, bound);
    const bytes = before + sum(kept.map(bytesOf)) + largest;
    if (bytes < best.bytes) best = { kept, bytes };
  }
  return best;
}

/** The cheapest chain from the first cut to the end with at most `bound` bytes between neighbours. */
function chain(cuts: readonly Tensor[], gaps: readonly number[], bound: number): { kept: Tensor[]; largest: number } {
  /** Of a chain that ends at cut j; the end is one more. */
  const cost = [0];
  const from = [0];
  const between = [0];
  for (let j = 1; j <= cuts.length; j++) {
    [cost[j], from[j], between[j]] = [Number.POSITIVE_INFINITY, j - 1, gaps[j - 1]];
    const own = j < cuts.length ? bytesOf(cuts[j]) : 0;
    for (let i = j - 1, gap = 0; i >= 0; i--) {
      gap += gaps[i];
      if (gap > bound) break;
      if (cost[i] + own < cost[j]) [cost[j], from[j], between[j]] = [cost[i] + own, i, gap];
    }
  }
  const kept: Tensor[] = [];
  let largest = between[cuts.length];
  for (let j = from[cuts.length]; ; j = from[j]) {
    kept.unshift(cuts[j]);
    if (j === 0) return { kept, largest };
    largest = Math.max(largest, between[j]);
  }
}

/** Gives a forward tensor as a node of the backward pass is to read it. */
type Replay = (t: Tensor, reader: Node, mapped: (t: Tensor) => Tensor) => Tensor;

function replayer(
  { gradients, cuts, cutGradients }: Recomputation,
  kept: readonly Tensor[],
  active: ReadonlySet<Node>,
): Replay {
  const copies = new Map<Tensor, Tensor>();
  const zeros = new Map<number, Tensor>();
  const waiting = new Set(gradients);
  const isCut = new Set(kept);
  const noise = drawnFrom(active);
  /** The part after kept cut k that a node lies in; the last part is not computed again. */
  const partOf = ({ id }: Node): number => kept.findLastIndex((t) => t.node.id <= id);
  /** The gradient of what a part ends with. */
  const endOf = (k: number): Tensor => cutGradients[cuts.indexOf(kept[k + 1])];

  /** Of part k: a zero that is known once all gradients before its own are. */
  const zero = (k: number, reader: Node, mapped: (t: Tensor) => Tensor): Tensor => {
    const known = zeros.get(k);
    if (known) return known;
    const done = [...waiting].filter((t) => t.node.id < reader.id && t.node.op !== "Constant");
    for (const t of done) waiting.delete(t);
    const made = zeroAfter([endOf(k), ...done].map(mapped));
    zeros.set(k, made);
    return made;
  };

  const copy = (t: Tensor, z: Tensor): Tensor => {
    const { node } = t;
    const known = copies.get(t);
    if (known) return known;
    if (isCut.has(t)) return remember(t, t.add(z));
    if (node.op === "Constant") return t;
    if (node.op === "Input") return noise.has(node) ? remember(t, t.add(z.cast(t.dtype))) : t;
    if (!active.has(node) && !noise.has(node)) return t;
    const outputs = withScope(node.scope, () =>
      applyAll(
        node.op,
        node.inputs.map((x, i) => x && argument(node, i, z)),
        node.attrs,
      ),
    );
    node.outputs.forEach((y, i) => void copies.set(y, outputs[i]));
    return outputs[t.index];
  };
  const remember = (t: Tensor, made: Tensor): Tensor => {
    copies.set(t, made);
    return made;
  };
  /** The runtime writes a batch norm's outputs 1 and 2 over its inputs 3 and 4, which are its own therefore. */
  const argument = (node: Node, i: number, z: Tensor): Tensor => {
    const x = node.inputs[i] as Tensor;
    return node.op === "BatchNormalization" && node.attrs.training_mode === 1 && i > 2 ? anew(x, z) : copy(x, z);
  };

  return (t, reader, mapped) => {
    const { node } = t;
    const computed = isOperator(node) && (active.has(node) || noise.has(node));
    const k = partOf(node);
    if (!computed || isCut.has(t) || k < 0 || k >= kept.length - 1) return t;
    return endOf(k).node.id < reader.id ? copy(t, zero(k, reader, mapped)) : t;
  };
}

/** A tensor of the weights, computed again from weights plus a zero. */
function anew(t: Tensor, z: Tensor): Tensor {
  const { node } = t;
  if (node.op === "Constant") return t;
  if (node.op === "Input") return t.add(z);
  return applyAll(
    node.op,
    node.inputs.map((x) => x && anew(x, z)),
    node.attrs,
  )[t.index];
}

/** Nodes that make noise for activations: those that depend on a counter, an integer input. */
function drawnFrom(active: ReadonlySet<Node>): ReadonlySet<Node> {
  const drawn = new Set<Node>();
  for (const node of nodesOf([...active].flatMap((n) => n.outputs))) {
    if (active.has(node)) continue;
    const counter = node.op === "Input" && node.outputs[0].dtype === "int32";
    if (counter || node.inputs.some((t) => t && drawn.has(t.node))) drawn.add(node);
  }
  return drawn;
}

/** 0, unless a gradient is not a number: then the step is void anyway. */
function zeroAfter(gradients: readonly Tensor[]): Tensor {
  const firsts = gradients.map((g) => g.reshape([g.size]).slice(0, 0, 1));
  return firsts
    .reduce((a, b) => a.add(b))
    .isNaN()
    .cast("float32")
    .reshape([]);
}
