import { TesseraeError } from "../errors.ts";
import { adamw } from "./adamw.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

export interface OptimizerOptions {
  /** SGD's momentum. */
  momentum?: number;
  /** AdamW's β₁ and β₂. */
  betas?: readonly [number, number];
  epsilon?: number;
}

const OPTIMIZERS: Readonly<Record<string, (options: OptimizerOptions) => Optimizer>> = {
  adamw,
  sgd: ({ momentum }) => sgd({ momentum, nesterov: true }),
  momentum: ({ momentum }) => sgd({ momentum, nesterov: false }),
};

export const optimizerNames = Object.keys(OPTIMIZERS);

/** An optimizer by timm's name (`sgd` is Nesterov's, `momentum` is not). Throws TesseraeError("usage"). */
export function createOptimizer(name: string, options: OptimizerOptions = {}): Optimizer {
  const make = OPTIMIZERS[name];
  if (!make)
    throw new TesseraeError("usage", `unknown optimizer ${name}`, { hint: `Known: ${optimizerNames.join(", ")}` });
  return make(options);
}
