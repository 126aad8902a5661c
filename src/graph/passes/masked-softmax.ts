import { evaluate } from "../evaluate.ts";
import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { constant, type Tensor } from "../tensor.ts";
import { nodesOf } from "../walk.ts";

/** Far below what float32 tells apart in a sum with any probability that counts, far above its denormals. */
const FLOOR = 1e-20;
/** Masks in between make probabilities of 1e-22 to 0: e^-100 is 4e-44. Those of -1e9 make zeros. */
const MASK = [-1000, -50] as const;

/**
 * Probabilities of a softmax behind an added mask (Swin's shifted windows: -100) get a floor of 1e-20. Without it they are
 * denormal numbers, with which products take 3 to 9 times as long: P · V and its gradients.
 */
export function maskedSoftmax(program: Program): Program {
  const known = new Map<Tensor, boolean>();
  return rewrite(program, ({ op, attrs }, inputs) => {
    const [scores] = inputs as readonly Tensor[];
    if (op !== "Softmax" || !isMasked(scores, known)) return undefined;
    return [scores.softmax(attrs.axis as number).add(constant(FLOOR))];
  });
}

const THROUGH = new Set(["Add", "Reshape", "Expand"]);

/** Whether one of the terms has a mask's numbers and depends on nothing but constants. */
function isMasked(t: Tensor, known: Map<Tensor, boolean>): boolean {
  const { op, inputs } = t.node;
  if (THROUGH.has(op)) return inputs.some((x) => x !== undefined && isMasked(x, known));
  const masked = known.get(t) ?? (isGiven(t) && hasMask(evaluate([t], new Map())[0].data));
  known.set(t, masked);
  return masked;
}

/** Whether no input of the program is needed to compute it. */
const isGiven = (t: Tensor): boolean => nodesOf([t]).every(({ op }) => op !== "Input");
const hasMask = (data: Float64Array): boolean => data.some((v) => v >= MASK[0] && v <= MASK[1]);
