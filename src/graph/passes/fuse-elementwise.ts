import { type Program, programOf } from "../program.ts";
import { apply, applyAll, input, type Node, type Tensor, withScope } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { nodesOf } from "../walk.ts";
import { cutInto, type Region, type RowKind, rowInputs, rowKind, rowRegions } from "./row-regions.ts";

/**
 * Runs chains of elementwise operators and reductions chunk by chunk, in a Scan: what lies between them stays in the processor's
 * cache instead of going through memory, and is not kept for the whole batch. A chunk is a part of the batch, or of the channels
 * of one image.
 */
export function fuseElementwise(program: Program, large: number): Program {
  const plans = planned(program, rowRegions(program.outputs, large));
  if (plans.size === 0) return program;
  const image = new Map<Tensor, Tensor>();
  const mapped = (t: Tensor): Tensor => image.get(t) ?? t;
  for (const unit of inOrder(program, plans)) {
    if ("live" in unit) emitScan(unit, large, mapped).forEach((y, t) => void image.set(t, y));
    else if (unit.inputs.some((t) => t && image.has(t)))
      withScope(unit.scope, () => {
        const outputs = applyAll(
          unit.op,
          unit.inputs.map((t) => t && mapped(t)),
          unit.attrs,
        );
        unit.outputs.forEach((t, i) => void image.set(t, outputs[i]));
      });
  }
  return programOf(program, mapped);
}

/** What a region becomes: the operators that are needed, what they read and what others need of them. */
interface Plan {
  readonly region: Region;
  readonly live: Set<Node>;
  readonly rows: Set<Tensor>;
  readonly whole: Set<Tensor>;
  readonly outputs: Set<Tensor>;
}

const kindOf = (node: Node): RowKind => rowKind(node) as RowKind;

/** Plans by the nodes they compute for others, found by what the program's outputs need. */
function planned(program: Program, regions: readonly Region[]): ReadonlyMap<Node, Plan> {
  const byNode = new Map<Node, Plan>();
  for (const region of regions) {
    const plan: Plan = { region, live: new Set(), rows: new Set(), whole: new Set(), outputs: new Set() };
    for (const n of region.own) byNode.set(n, plan);
  }
  const seen = new Set<Node>();
  const wanted = [...program.outputs.values()];
  while (wanted.length) {
    const t = wanted.pop() as Tensor;
    const plan = byNode.get(t.node);
    if (plan) {
      plan.outputs.add(t);
      wanted.push(...enliven(plan, t.node));
    } else if (!seen.has(t.node)) {
      seen.add(t.node);
      for (const x of t.node.inputs) if (x) wanted.push(x);
    }
  }
  return byNode;
}

/** Marks what a node needs inside the region; returns what it needs from outside. */
function enliven({ region, live, rows, whole }: Plan, node: Node): Tensor[] {
  const outside: Tensor[] = [];
  const stack = [node];
  while (stack.length) {
    const n = stack.pop() as Node;
    if (live.has(n)) continue;
    live.add(n);
    const near = rowInputs(n, kindOf(n));
    for (const t of n.inputs as readonly Tensor[])
      if (near.includes(t) && region.all.has(t.node)) stack.push(t.node);
      else if (near.includes(t) || t.node.op !== "Constant" || t.size > 1) {
        (near.includes(t) ? rows : whole).add(t);
        outside.push(t);
      }
  }
  return outside;
}

/** Plans and the nodes that are in none, each after what it needs. */
function inOrder(program: Program, plans: ReadonlyMap<Node, Plan>): (Node | Plan)[] {
  const unitOf = (n: Node): Node | Plan => plans.get(n) ?? n;
  const needs = (unit: Node | Plan): readonly (Tensor | undefined)[] =>
    "live" in unit ? [...unit.rows, ...unit.whole] : unit.inputs;
  const done = new Set<Node | Plan>();
  const order: (Node | Plan)[] = [];
  for (const node of nodesOf(program.outputs.values())) {
    const first = unitOf(node);
    if ("live" in first && first.outputs.size === 0) continue;
    const stack = [first];
    while (stack.length) {
      const unit = stack[stack.length - 1];
      const missing = done.has(unit)
        ? []
        : needs(unit).flatMap((t) => (t && !done.has(unitOf(t.node)) ? [unitOf(t.node)] : []));
      if (missing.length) stack.push(missing[0]);
      else {
        stack.pop();
        if (!done.has(unit)) order.push(unit);
        done.add(unit);
      }
    }
  }
  return order;
}

/** How tensors [N, C, ...] fall into N/n · C/c entries of a Scan, each [n, c, ...]; n = N/rows, c = C/parts. */
interface Cut {
  readonly rows: number;
  /** 1: the second axis stays whole. */
  readonly parts: number;
  readonly channels?: number;
}

function cutOf({ live, region: { rows, channels } }: Plan, large: number): Cut {
  const tensors = [...live].flatMap((n) => [n.outputs[0], ...rowInputs(n, kindOf(n))]);
  const size = Math.max(...tensors.map((t) => t.size));
  return channels === undefined
    ? { rows: cutInto(rows, size, large) ?? rows, parts: 1 }
    : { rows, parts: cutInto(channels, size / rows, large) ?? channels, channels };
}

const inParts = ([, c]: Shape, { parts, channels }: Cut): boolean => parts > 1 && c === channels;

/** [n, c, ...] of a tensor of rows [N, C, ...]. */
const entryShape = (shape: Shape, cut: Cut): Shape => {
  const [n, ...rest] = shape;
  if (!inParts(shape, cut)) return [n / cut.rows, ...rest];
  return [n / cut.rows, rest[0] / cut.parts, ...rest.slice(1)];
};

/** Entries [N/n · C/c, n, c, ...] of a tensor whose rows or parts are cut; where it has but one, that one for each. */
function entries(t: Tensor, { rows, parts }: Cut, [n, ...rest]: Shape): Tensor {
  if (parts === 1) return t.reshape([rows, n, ...rest]);
  const [N, C] = t.shape;
  const apart = t.reshape([N, C / rest[0], n, ...rest]);
  return apart.expand([rows, parts, n, ...rest]).reshape([rows * parts, n, ...rest]);
}

/** The Scan of a plan, and what its outputs become. */
function emitScan(plan: Plan, large: number, mapped: (t: Tensor) => Tensor): Map<Tensor, Tensor> {
  const cut = cutOf(plan, large);
  const nodes = [...plan.live].sort((a, b) => a.id - b.id);
  const ofChannels = [...plan.whole].filter(({ shape }) => inParts(shape, cut));
  const whole = [...plan.whole].filter((t) => !ofChannels.includes(t));
  return withScope(nodes[nodes.length - 1].scope, () => {
    const scanned = [
      ...[...plan.rows].map((t) => [t, entryShape(t.shape, cut)] as const),
      ...ofChannels.map((t) => [t, [1, t.shape[1] / cut.parts, ...t.shape.slice(2)]] as const),
    ];
    const inputs = [...scanned, ...whole.map((t) => [t, t.shape] as const)].map(([t, shape], i) =>
      input(`x${i}`, t.dtype, shape),
    );
    const inside = new Map([...scanned.map(([t]) => t), ...whole].map((t, i) => [t, inputs[i]]));
    for (const n of nodes) withScope(n.scope, () => inBody(n, cut, inside));
    const outputs = [...plan.outputs];
    const given = [...scanned.map(([t, shape]) => entries(mapped(t), cut, shape)), ...whole.map(mapped)];
    const body = { inputs, outputs: outputs.map((t) => inside.get(t) as Tensor) };
    const results = applyAll("Scan", given, { body, num_scan_inputs: scanned.length });
    return new Map(outputs.map((t, i) => [t, collected(t, results[i], cut)]));
  });
}

/** Puts a node's outputs for one entry into `inside`. */
function inBody(node: Node, cut: Cut, inside: Map<Tensor, Tensor>): void {
  const inputs = (node.inputs as readonly Tensor[]).map((t) => inside.get(t) ?? t);
  const [y] = node.outputs;
  if (kindOf(node).kind === "sum") {
    inside.set(y, apply(node.op, inputs, { axes: partialAxes(node), keepdims: 1 }));
    return;
  }
  const shape = entryShape(y.shape, cut);
  const outputs = applyAll(node.op, inputs, node.op === "Expand" ? { shape } : node.attrs);
  node.outputs.forEach((t, i) => void inside.set(t, outputs[i]));
}

/** Axes of a sum over rows that are summed inside: the last ones, which is faster, or all. */
function partialAxes({ attrs, inputs }: Node): readonly number[] {
  const axes = attrs.axes as readonly number[];
  const rank = (inputs[0] as Tensor).rank;
  const rest = axes.filter((a) => a > 0);
  return rest.length && rest.every((a, i) => a === rank - rest.length + i) ? rest : axes;
}

/** Entries put together again: rows and parts one after another, sums added up. */
function collected(t: Tensor, result: Tensor, { rows, parts }: Cut): Tensor {
  if (kindOf(t.node).kind === "rows") return result.reshape(t.shape);
  const [, n, c, ...rest] = result.shape;
  return result
    .reshape([rows * n, parts * c, ...rest])
    .sum([0])
    .reshape(t.shape);
}
