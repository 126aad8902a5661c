import type { Body } from "../op.ts";
import { inputName, NEXT, OVER, type Program, program } from "../program.ts";
import { applyAll, input, type Node, type Tensor, withScope } from "../tensor.ts";
import { isOperator, nodesOf, readersOf, readersThrough, sourceOf } from "../walk.ts";
import { ELEMENTWISE } from "./row-regions.ts";

/** A state tensor, and its value to be. */
interface Update {
  readonly name: string;
  readonly state: Tensor;
  readonly next: Tensor;
}

/**
 * Writes the next state over the state, so that there is one copy of it: the update moves into an If on the output "finite",
 * whose other branch gives the state as it is. A tensor that may be read after its next value is written keeps two. What is written over
 * may have another shape than the state, of as many elements: chunks are written where they belong, without a copy.
 */
export function updatesInPlace(p: Program): Program {
  const finite = p.outputs.get("finite");
  const updates = updatesOf(p);
  const results = [...p.outputs].filter(([name]) => !name.startsWith(NEXT));
  const complete = results.length + updates.length === p.outputs.size;
  // Without the gradient's norm, "finite" is known before the gradient is.
  if (!finite || !p.outputs.has("grad_norm") || updates.length === 0 || !complete) return p;
  const before = new Set(nodesOf(results.map(([, t]) => t)));
  const decided = new Set(nodesOf([finite]));
  const readers = readersOf(nodesOf(p.outputs.values()));
  const over = ({ state, next }: Update): boolean => {
    const later = readersThrough(state, readers).filter((n) => !decided.has(n));
    return later.every((n) => !before.has(n)) && areDoneBefore(later, state, next, before);
  };
  const placed = updates.map((u) =>
    over(u) ? { ...u, next: sourceOf(u.next), prefix: OVER } : { ...u, prefix: NEXT },
  );
  const outputs = withScope("optimizer", () => conditional(finite, placed, before));
  const next = placed.map(({ prefix, name }, i) => [prefix + name, outputs[i]] as const);
  return program(p.name, new Map([...results, ...next]), p.inputs);
}

/** Outputs "next:" of state tensors that are inputs. */
function updatesOf({ inputs, outputs }: Program): Update[] {
  const states = new Map(inputs.map((t) => [inputName(t), t]));
  return [...outputs].flatMap(([output, next]) => {
    const name = output.slice(NEXT.length);
    const state = output.startsWith(NEXT) ? states.get(name) : undefined;
    return state ? [{ name, state, next }] : [];
  });
}

// --- who reads a tensor when

/**
 * Whether each of these readers of a state is done with an element when that of the next value is written. Readers are not
 * among those `before`, so that none of what leads from them to the next value is.
 */
function areDoneBefore(
  readers: readonly Node[],
  state: Tensor,
  next: Tensor,
  before: ReadonlySet<Node> = new Set(),
): boolean {
  const { node, index, size } = sourceOf(next);
  const above = new Set(nodesOf([next], before));
  return readers.every((n) => {
    if (n !== node) return above.has(n);
    if (size !== state.size) return false;
    return n.op === "Scan" ? isEntryDoneBefore(n, index, state) : ELEMENTWISE.has(n.op);
  });
}

/** The same for each entry of a Scan that reads the state and gives, as its output `index`, the next value. */
function isEntryDoneBefore({ inputs, attrs }: Node, index: number, state: Tensor): boolean {
  const body = attrs.body as Body;
  const readers = readersOf(nodesOf(body.outputs));
  return inputs.every((t, k) => {
    if (!t || sourceOf(t) !== state) return true;
    const entry = body.inputs[k];
    const scanned = k < (attrs.num_scan_inputs as number);
    return scanned && areDoneBefore(readersThrough(entry, readers), entry, body.outputs[index]);
  });
}

// --- the update as a branch

/** What the updates give if the condition holds, else the states; what is computed `before` is not computed in it. */
function conditional(condition: Tensor, updates: readonly Update[], before: ReadonlySet<Node>): readonly Tensor[] {
  const moved = nodesOf(
    updates.map(({ next }) => next),
    before,
  ).filter(isOperator);
  const inside = new Set(moved);
  const read = [...moved.flatMap((n) => n.inputs), ...updates.flatMap(({ state, next }) => [state, next])];
  const captured = [...new Set(read)].filter((t) => t !== undefined && !inside.has(t.node) && t.node.op !== "Constant");
  const branch = (of: (image: (t: Tensor) => Tensor) => Tensor[]): Body => {
    const inputs = (captured as Tensor[]).map((t, i) => input(`x${i}`, t.dtype, t.shape));
    const image = new Map(inputs.map((t, i) => [captured[i], t]));
    return { inputs, outputs: of((t) => image.get(t) ?? t) };
  };
  const then_branch = branch((image) => {
    const copies = copied(moved, image);
    return updates.map(({ next }) => copies(next));
  });
  const else_branch = branch((image) => updates.map(({ state, next }) => image(state).reshape(next.shape)));
  return applyAll("If", [condition, ...captured], { then_branch, else_branch });
}

/** The nodes once more, over other inputs. */
function copied(nodes: readonly Node[], image: (t: Tensor) => Tensor): (t: Tensor) => Tensor {
  const copies = new Map<Tensor, Tensor>();
  const copy = (t: Tensor): Tensor => copies.get(t) ?? image(t);
  for (const n of nodes) {
    const inputs = n.inputs.map((t) => t && copy(t));
    withScope(n.scope, () => applyAll(n.op, inputs, n.attrs)).forEach((t, i) => void copies.set(n.outputs[i], t));
  }
  return copy;
}
