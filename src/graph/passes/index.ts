import type { Program } from "../program.ts";
import { affinesInOne } from "./affines-in-one.ts";
import { batchNormByRows } from "./batch-norm-by-rows.ts";
import { blockedConvolutions } from "./blocked-convolutions.ts";
import { commonSubexpressions } from "./common-subexpressions.ts";
import { decompose } from "./decompose.ts";
import { dropDeadTokens } from "./drop-dead-tokens.ts";
import { fuseElementwise } from "./fuse-elementwise.ts";
import { fusedGelu } from "./fused-gelu.ts";
import { implicitBroadcasts } from "./implicit-broadcasts.ts";
import { lowRankProducts } from "./low-rank-products.ts";
import { maskedSoftmax } from "./masked-softmax.ts";
import { normsIntoProducts } from "./norms-into-products.ts";
import { poolBeforeRelu } from "./pool-before-relu.ts";
import { productsOfTransposes } from "./products-of-transposes.ts";
import { reluMasks } from "./relu-masks.ts";
import { scalarsOfFullRank } from "./scalars-of-full-rank.ts";
import { sinkScales } from "./sink-scales.ts";
import { softmaxDelta } from "./softmax-delta.ts";
import { sumsAsProducts } from "./sums-as-products.ts";
import { sumsOfTokens } from "./sums-of-tokens.ts";
import { tilesOfTokens } from "./tiles-of-tokens.ts";
import { transposesInBlocks } from "./transposes-in-blocks.ts";
import { type ChooseForm, tunedForms } from "./tuned-forms.ts";
import { updatesInPlace } from "./updates-in-place.ts";
import { updatesTogether } from "./updates-together.ts";
import { wholeWindows } from "./whole-windows.ts";

/** What is known of the runtime that a program is rewritten for. */
export interface Target {
  /** Channels side by side in its layout for convolutions; absent: it has none, or the program is for any runtime. */
  readonly block?: number;
  /** Elements of a tensor from which a pass over it goes through memory, where that is slow; absent: not known. */
  readonly large?: number;
  /** Whether it writes outputs over inputs that it is given as their place. */
  readonly inPlace?: boolean;
  /** Whether it has an operator of its own for GELU. */
  readonly gelu?: boolean;
  /** Which form of an operator was measured to be the fastest; absent: the rule's is taken. */
  readonly form?: ChooseForm;
}

/** A rewrite that changes no result beyond rounding. */
export type Pass = (program: Program, target?: Target) => Program;
type Passes = Readonly<Record<string, Pass>>;

/** Run on the forward graph, before gradients are taken of what they leave. */
export const FORWARD_PASSES: Passes = {
  "drop-dead-tokens": dropDeadTokens,
  "low-rank-products": lowRankProducts,
};

/** Run after those where gradients are to be taken. */
export const TRAINING_FORWARD_PASSES: Passes = {
  "tiles-of-tokens": tilesOfTokens,
  "norms-into-products": normsIntoProducts,
  "pool-before-relu": poolBeforeRelu,
};

/** Run on the whole program, in this order. */
export const PASSES: Passes = {
  "whole-windows": wholeWindows,
  "tuned-forms": (program, { form } = {}) => (form ? tunedForms(program, form) : program),
  "blocked-convolutions": (program, { block } = {}) => (block ? blockedConvolutions(program, block) : program),
  "softmax-delta": softmaxDelta,
  "masked-softmax": maskedSoftmax,
  "fused-gelu": (program, { gelu } = {}) => (gelu ? fusedGelu(program) : program),
  decompose,
  "relu-masks": (program, { large } = {}) => (large ? reluMasks(program) : program),
  "batch-norm-by-rows": (program, { large } = {}) => (large ? batchNormByRows(program, large) : program),
  "sums-of-tokens": sumsOfTokens,
  "common-subexpressions": commonSubexpressions,
  "sink-scales": sinkScales,
  "products-of-transposes": productsOfTransposes,
  "transposes-in-blocks": (program, { block } = {}) => (block ? transposesInBlocks(program, block) : program),
  "implicit-broadcasts": implicitBroadcasts,
  "scalars-of-full-rank": scalarsOfFullRank,
  "fuse-elementwise": (program, { large } = {}) => (large ? fuseElementwise(program, large) : program),
  "affines-in-one": (program, { large } = {}) => (large ? affinesInOne(program) : program),
  "sums-as-products": sumsAsProducts,
  "updates-together": (program, { inPlace } = {}) => (inPlace ? updatesTogether(program) : program),
  "updates-in-place": (program, { inPlace } = {}) => (inPlace ? updatesInPlace(program) : program),
};

/** What `without` may name. */
export const PASS_NAMES: readonly string[] = Object.keys({ ...FORWARD_PASSES, ...TRAINING_FORWARD_PASSES, ...PASSES });

export interface PassOptions {
  /** Names of passes to leave out. */
  readonly without?: readonly string[];
}

const run = (passes: Passes, program: Program, { without = [] }: PassOptions, target: Target = {}): Program =>
  Object.entries(passes).reduce((p, [name, pass]) => (without.includes(name) ? p : pass(p, target)), program);

/** Rewrites a forward graph so that it computes only what is read, in training also for the gradients that are to be taken. */
export const narrow = (
  program: Program,
  { training, ...options }: PassOptions & { training?: boolean } = {},
): Program => run(training ? { ...FORWARD_PASSES, ...TRAINING_FORWARD_PASSES } : FORWARD_PASSES, program, options);

/**
 * Rewrites an inference program. What the runtime finds by pattern in a graph of constant weights (GELU, skip
 * connections with norms, scaled products) is left in the form it knows.
 */
export const simplify = (program: Program): Program => commonSubexpressions(decompose(maskedSoftmax(program)));

/** Rewrites a training program for speed, on the runtime that will run it. */
export const optimize = (program: Program, { without, ...target }: PassOptions & Target = {}): Program =>
  run(PASSES, program, { without }, target);
