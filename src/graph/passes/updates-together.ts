import { constantValue } from "../evaluate.ts";
import { NEXT, type Program, programOf } from "../program.ts";
import { applyAll, concat, type Node, type Tensor, withScope } from "../tensor.ts";
import { nodesOf, sourceOf } from "../walk.ts";
import { ELEMENTWISE } from "./row-regions.ts";

/** Elements of a parameter up to which an operator's call costs more than its work. */
const SMALL = 2 ** 15;
/** Elements of parameters together: what lies between their operators stays in the cache. */
const TOGETHER = 2 ** 17;

/**
 * Updates small parameters side by side: those whose new weights, moments and averages are the same elementwise functions of their
 * own tensors and of the same scalars are laid end to end, updated as one, and taken apart again; to the last bit the same.
 * AdamW has 14 operators for each of PVT v2 b0's 178 parameters.
 */
export function updatesTogether(p: Program): Program {
  const outputs = [...p.outputs];
  const next = outputs.filter(([name]) => name.startsWith(NEXT)).map(([, t]) => t);
  const before = new Set(nodesOf(outputs.filter(([name]) => !name.startsWith(NEXT)).map(([, t]) => t)));
  const alike = new Map<string, Update[]>();
  for (const update of updatesOf(next, before)) alike.set(update.form, [...(alike.get(update.form) ?? []), update]);
  const image = new Map<Tensor, Tensor>();
  withScope("optimizer", () => {
    for (const updates of alike.values())
      for (const some of binned(updates)) if (some.length > 1) updateAsOne(some, image);
  });
  return image.size === 0 ? p : programOf(p, (t) => image.get(t) ?? t);
}

// --- what is updated alike

/** What becomes of one parameter's tensors. */
interface Update {
  /** Elements of each tensor. */
  readonly size: number;
  readonly outputs: readonly Tensor[];
  /** Operators from the leaves to the outputs, inputs first. */
  readonly nodes: readonly Node[];
  /** Tensors of this size that they read. */
  readonly leaves: readonly Tensor[];
  /** The same for two updates that compute the same of their leaves. */
  readonly form: string;
}

/** Values to be that share operators belong to one parameter. */
function updatesOf(next: readonly Tensor[], before: ReadonlySet<Node>): Update[] {
  const owners = new Map<Node, { outputs: Tensor[]; nodes: Node[] }>();
  for (const t of next) {
    const nodes = ownNodes(t, before);
    const met = new Set(nodes.flatMap((n) => owners.get(n) ?? []));
    const owner = { outputs: [...met].flatMap((o) => o.outputs), nodes: [...met].flatMap((o) => o.nodes) };
    owner.outputs.push(t);
    owner.nodes.push(...nodes.filter((n) => !owners.has(n)));
    for (const n of owner.nodes) owners.set(n, owner);
  }
  return [...new Set(owners.values())].map(({ outputs, nodes }) => described(outputs, nodes));
}

/** The elementwise operators of an update, on tensors of its size, up to what is computed before it or otherwise. */
function ownNodes(t: Tensor, before: ReadonlySet<Node>): Node[] {
  const found = new Set<Node>();
  const visit = (x: Tensor): void => {
    const { node, size } = sourceOf(x);
    if (size !== t.size || found.has(node) || before.has(node) || !ELEMENTWISE.has(node.op)) return;
    found.add(node);
    for (const input of node.inputs) if (input) visit(input);
  };
  if (t.size > 1 && t.size <= SMALL) visit(t);
  return [...found];
}

function described(outputs: readonly Tensor[], unordered: readonly Node[]): Update {
  const nodes = [...unordered].sort((a, b) => a.id - b.id);
  const { size } = outputs[0];
  const known = new Map<Tensor, string>();
  const leaves: Tensor[] = [];
  const nameOf = (t: Tensor | undefined): string => {
    if (!t) return "-";
    const x = sourceOf(t);
    if (x.size === 1) return scalarName(x);
    if (x.size !== size) return `only for ${nodes[0].id}`;
    if (!known.has(x)) known.set(x, `leaf ${leaves.push(x)} ${x.dtype}`);
    return known.get(x) as string;
  };
  const lines = nodes.map(({ op, attrs, inputs, outputs: [y] }, i) => {
    const line = `${op} ${JSON.stringify(attrs)} ${inputs.map(nameOf)} ${y.dtype}`;
    known.set(y, `line ${i}`);
    return line;
  });
  return { size, outputs, nodes, leaves, form: [...lines, ...outputs.map(nameOf)].join("\n") };
}

const scalarName = ({ node, index, dtype }: Tensor): string =>
  node.op === "Constant" ? `${constantValue(node).data[0]} ${dtype}` : `${node.id}.${index}`;

/** In the order given, as many together as the cache holds. */
function binned(updates: readonly Update[]): Update[][] {
  const bins: Update[][] = [[]];
  let filled = 0;
  for (const update of updates) {
    if (filled + update.size > TOGETHER) {
      bins.push([]);
      filled = 0;
    }
    bins[bins.length - 1].push(update);
    filled += update.size;
  }
  return bins;
}

// --- updating them

/** Puts what each output becomes into `image`. */
function updateAsOne(updates: readonly Update[], image: Map<Tensor, Tensor>): void {
  const [first] = updates;
  const flat = new Map<Tensor, Tensor>();
  first.leaves.forEach((leaf, j) => {
    const parts = updates.map((u) => u.leaves[j].reshape([u.size]));
    flat.set(leaf, concat(parts, 0));
  });
  // A scalar loses its axes: one of full rank would widen what it meets.
  const flattened = (t: Tensor): Tensor => flat.get(sourceOf(t)) ?? sourceOf(t).reshape([]);
  for (const { op, attrs, inputs, outputs } of first.nodes) {
    const flattenedInputs = inputs.map((t) => t && flattened(t));
    flat.set(outputs[0], applyAll(op, flattenedInputs, attrs)[0]);
  }
  first.outputs.forEach((output, j) => {
    const sizes = updates.map((u) => u.size);
    flattened(output)
      .split(sizes, 0)
      .forEach((part, i) => {
        const own = updates[i].outputs[j];
        image.set(own, part.reshape(own.shape));
      });
  });
}
