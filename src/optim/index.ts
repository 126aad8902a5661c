import { TesseraeError } from "../errors.ts";
import { adam } from "./adam.ts";
import { adamw, type Betas } from "./adamw.ts";
import { lamb } from "./lamb.ts";
import { lion } from "./lion.ts";
import { muon } from "./muon.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd } from "./sgd.ts";

/** Where one is absent, the optimizer's own default holds. */
export interface OptimizerOptions {
  /** Of SGD and Muon. */
  momentum?: number;
  /** β₁ and β₂ of the others. */
  betas?: Betas;
  epsilon?: number;
}

const OPTIMIZERS: Readonly<Record<string, (options: OptimizerOptions) => Optimizer>> = {
  adamw,
  nadamw: (o) => adamw({ ...o, nesterov: true }),
  adam,
  lamb,
  lion,
  muon,
  nmuon: (o) => muon({ ...o, nesterov: true }),
  sgd: ({ momentum }) => sgd({ momentum, nesterov: true }),
  momentum: ({ momentum }) => sgd({ momentum, nesterov: false }),
};

export const optimizerNames = Object.keys(OPTIMIZERS);

/** An optimizer by timm's name (`sgd` is Nesterov's, `momentum` is not). Throws TesseraeError("usage"). */
export function createOptimizer(name: string, options: OptimizerOptions = {}): Optimizer {
  const make = Object.hasOwn(OPTIMIZERS, name) ? OPTIMIZERS[name] : undefined;
  if (!make)
    throw new TesseraeError("usage", `unknown optimizer ${name}`, { hint: `Known: ${optimizerNames.join(", ")}` });
  return make(options);
}
