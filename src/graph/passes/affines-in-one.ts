import type { Body } from "../op.ts";
import type { Program } from "../program.ts";
import { type Rule, rewrite } from "../rewrite.ts";
import { apply, applyAll, fill, input, type Node, type Tensor } from "../tensor.ts";
import { sameShape } from "../types.ts";
import { nodesOf, readOnceFor } from "../walk.ts";

/**
 * One pass over x [N, C, H, W] instead of three, for a, b and m [1, C, 1, 1] (the gradient of batch norm):
 *
 *   (x - m) · a + b  =  BatchNormalization(x; scale a, bias b, mean m, variance 1)
 *
 * which the runtime computes as x · a + (b - m · a), as it does after the batch's statistics, on one thread: shorter chains
 * (x · a + b) gain nothing. Beside a third term r, (r + (x - m) · a) + b becomes r + BatchNormalization(x), a rounding apart.
 * In the bodies of Scans the vectors come in as [C].
 */
export function affinesInOne(program: Program): Program {
  const rule = ruleOf(program.outputs.values(), (t, mapped) => mapped(t).reshape([t.shape[1]]));
  return rewrite(program, (node, inputs, mapped) =>
    node.op === "Scan" ? scanInOne(node, inputs as readonly Tensor[]) : rule(node, inputs, mapped),
  );
}

type Mapped = (t: Tensor) => Tensor;

/** `flat` gives a vector [1, C, 1, 1] as [C]. */
function ruleOf(outputs: Iterable<Tensor>, flat: (t: Tensor, mapped: Mapped) => Tensor): Rule {
  const readOnce = readOnceFor(outputs);
  return (node, _, mapped) => {
    const affine = affineOf(node, readOnce);
    if (!affine) return undefined;
    const { x, scale, bias, mean, rest } = affine;
    const vectors = [scale, bias, mean].map((t) => flat(t, mapped));
    const given = [mapped(x), ...vectors, fill(1, [x.shape[1]])];
    const y = apply("BatchNormalization", given, { epsilon: 0, training_mode: 0 });
    return [rest ? mapped(rest).add(y) : y];
  };
}

interface Scaled {
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly scale: Tensor;
}

interface Affine extends Scaled {
  readonly bias: Tensor;
  /** Added to all that. */
  readonly rest?: Tensor;
}

type Test = (t: Tensor) => boolean;

function affineOf(node: Node, readOnce: Test): Affine | undefined {
  if (node.op !== "Add") return undefined;
  for (const [bias, other] of bothWays(node)) {
    if (!isPerChannel(bias, other) || !readOnce(other)) continue;
    const alone = scaledOf(other.node);
    if (alone) return { ...alone, bias };
    if (other.node.op !== "Add") continue;
    for (const [term, rest] of bothWays(other.node)) {
      const scaled = readOnce(term) && scaledOf(term.node);
      if (scaled && sameShape(rest.shape, other.shape)) return { ...scaled, bias, rest };
    }
  }
  return undefined;
}

/** (x - mean) · scale. */
function scaledOf(product: Node): Scaled | undefined {
  if (product.op !== "Mul") return undefined;
  for (const [scale, centred] of bothWays(product)) {
    if (centred.node.op !== "Sub" || !isPerChannel(scale, centred)) continue;
    const [x, mean] = centred.node.inputs as readonly Tensor[];
    if (isPerChannel(mean, x)) return { x, mean, scale };
  }
  return undefined;
}

function bothWays({ inputs }: Node): readonly (readonly [Tensor, Tensor])[] {
  const [a, b] = inputs as readonly Tensor[];
  return [
    [a, b],
    [b, a],
  ];
}

/** Whether v is [1, C, 1, 1] beside x [N, C, H, W]. */
const isPerChannel = (v: Tensor, { rank, shape, dtype }: Tensor): boolean =>
  rank === 4 && dtype === "float32" && shape[1] > 1 && sameShape(v.shape, [1, shape[1], 1, 1]);

/** The same Scan with affines of its body in one; vectors that it is given [1, C, 1, 1], or a row of them, as [C]. */
function scanInOne({ attrs }: Node, given: readonly Tensor[]): readonly Tensor[] | undefined {
  const { body, num_scan_inputs } = attrs as { body: Body; num_scan_inputs: number };
  const vectors = new Map<Tensor, Tensor>();
  const flat = (t: Tensor, mapped: Mapped): Tensor => {
    if (t.node.op !== "Input") return mapped(t).reshape([t.shape[1]]);
    const vector = vectors.get(t) ?? input(`${t.node.attrs.name}c`, t.dtype, [t.shape[1]]);
    vectors.set(t, vector);
    return vector;
  };
  const outputs = new Map(body.outputs.map((t, i) => [String(i), t]));
  const inner = rewrite({ name: "body", inputs: body.inputs, outputs }, ruleOf(body.outputs, flat));
  if ([...inner.outputs].every(([i, t]) => outputs.get(i) === t)) return undefined;
  const results = [...inner.outputs.values()];
  const read = new Set(nodesOf(results));
  const entries = body.inputs.flatMap((t, i) => {
    const scanned = i < num_scan_inputs;
    const vector = vectors.get(t);
    const leading = scanned ? [given[i].shape[0]] : [];
    return [
      ...(read.has(t.node) ? [{ scanned, inside: t, outside: given[i] }] : []),
      ...(vector ? [{ scanned, inside: vector, outside: given[i].reshape([...leading, ...vector.shape]) }] : []),
    ];
  });
  entries.sort((a, b) => Number(b.scanned) - Number(a.scanned));
  return applyAll(
    "Scan",
    entries.map(({ outside }) => outside),
    {
      body: { inputs: entries.map(({ inside }) => inside), outputs: results },
      num_scan_inputs: entries.filter(({ scanned }) => scanned).length,
    },
  );
}
