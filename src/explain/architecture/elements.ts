import type { Node, Tensor } from "../../graph/tensor.ts";
import { describeParts, type Kind, partOf } from "./parts.ts";

/** A box of a diagram: a child module, or an operator between the children. */
export interface Element {
  readonly label: string;
  /** Second line. */
  readonly detail?: string;
  readonly kind: Kind;
  /** State-dict path of the child module. */
  readonly path?: string;
  /** Indices of the boxes that it reads; -1 is what enters the module. */
  readonly from: readonly number[];
}

/** Moves or copies values: no box of its own. */
const SILENT = new Set([
  ...["Reshape", "Transpose", "Cast", "Squeeze", "Unsqueeze", "Slice", "Split", "Expand", "Identity", "Pad", "Gather"],
  "Concat",
]);

const within = (scope: string, path: string): boolean => path === "" || scope === path || scope.startsWith(`${path}.`);

/**
 * The child of `path` that a scope lies in: its name, with the number of one of a list. Children that are numbers, as a
 * sequence's are, are opened to the end. undefined: the module itself.
 */
export function childOf(scope: string, path: string): string | undefined {
  if (scope === path) return undefined;
  const names = scope.slice(path ? path.length + 1 : 0).split(".");
  const isNumber = (name?: string) => name !== undefined && /^\d+$/.test(name);
  const own = isNumber(names[0]) ? names : names.slice(0, isNumber(names[1]) ? 2 : 1);
  return [...(path ? [path] : []), ...own].join(".");
}

/** What makes a box: a child with all its nodes, or one node of the module itself. */
interface Group {
  readonly child?: string;
  readonly nodes: Node[];
}

/**
 * The inside of a module as boxes in the order of the graph. Children that change nothing (dropout in evaluation) and
 * operators that only move values have none.
 */
export function elementsOf(path: string, nodes: readonly Node[], onImage: ReadonlySet<Node>): Element[] {
  const inner = nodes.filter((n) => onImage.has(n) && n.op !== "Input" && within(n.scope, path));
  const groups = groupsOf(path, inner);
  const box = new Map<Group, number>();
  const elements: Element[] = [];
  /** The boxes that a tensor comes from. */
  const origins = new Map<Node, readonly number[]>();
  const from = (t: Tensor): readonly number[] => (onImage.has(t.node) ? (origins.get(t.node) ?? [-1]) : []);
  for (const node of inner) {
    const group = groups.get(node) as Group;
    const reads = unique(node.inputs.filter((t): t is Tensor => t !== undefined).flatMap(from));
    const at = box.get(group) ?? make(group, node, reads);
    if (at === undefined) origins.set(node, reads);
    else {
      box.set(group, at);
      const known = elements[at].from;
      elements[at] = { ...elements[at], from: unique([...known, ...reads.filter((r) => r !== at)]) };
      origins.set(node, [at]);
    }
  }
  return named(elements);

  function make(group: Group, node: Node, reads: readonly number[]): number | undefined {
    const parts = group.nodes.flatMap((n) => partOf(n, onImage) ?? []);
    if (parts.length === 0 || (group.child === undefined && isSilent(node, reads, onImage))) return undefined;
    elements.push({ ...describeParts(group.child?.slice(path.length), parts), path: group.child, from: reads });
    return elements.length - 1;
  }
}

function groupsOf(path: string, nodes: readonly Node[]): Map<Node, Group> {
  const children = new Map<string, Group>();
  return new Map(
    nodes.map((node) => {
      const child = childOf(node.scope, path);
      const group = (child !== undefined && children.get(child)) || { child, nodes: [] };
      group.nodes.push(node);
      if (child !== undefined) children.set(child, group);
      return [node, group];
    }),
  );
}

/** Arithmetic with constants or parameters alone, such as a scale, has no box. */
function isSilent(node: Node, reads: readonly number[], onImage: ReadonlySet<Node>): boolean {
  if (SILENT.has(node.op)) return true;
  const arithmetic = ["Add", "Mul", "Sub", "Div"].includes(node.op);
  return arithmetic && (reads.length < 2 || node.inputs.filter((t) => t && onImage.has(t.node)).length < 2);
}

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];

/** Names that only neighbours tell: the two products of attention, and x · σ(x). */
function named(elements: readonly Element[]): Element[] {
  const isSoftmax = (i: number) => elements[i]?.label === "softmax";
  const asked = new Set(elements.flatMap((e) => (e.label === "softmax" ? e.from : [])));
  return withoutGates(
    elements.map((e, i) => {
      if (e.label !== "matmul") return e;
      if (asked.has(i)) return { ...e, label: "Q Kᵀ" };
      return e.from.some(isSoftmax) ? { ...e, label: "weights · V" } : e;
    }),
  );
}

/** x · σ(x), two boxes, as one. */
function withoutGates(elements: readonly Element[]): Element[] {
  const gateOf = (e: Element): number | undefined =>
    e.label === "×" && e.from.length === 2
      ? e.from.find((f) => f >= 0 && elements[f].label === "sigmoid" && e.from.includes(elements[f].from[0]))
      : undefined;
  const dropped = new Set(elements.flatMap((e) => gateOf(e) ?? []));
  const kept = elements.flatMap((_, i) => (dropped.has(i) ? [] : [i]));
  const at = (f: number): number => (f < 0 ? -1 : kept.indexOf(f));
  return kept.map((i) => {
    const e = elements[i];
    const gate = gateOf(e);
    if (gate === undefined) return { ...e, from: e.from.map(at) };
    return { ...e, label: "SiLU", kind: "activation", from: elements[gate].from.map(at) };
  });
}

/** A text that is the same for modules of one structure, whatever their widths. */
export const signature = (elements: readonly Element[]): string =>
  elements.map((e) => `${e.label.replace(/\d+/g, "n")}|${e.kind}|${e.from}`).join(";");
