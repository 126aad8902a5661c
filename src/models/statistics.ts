import { countMacs } from "../graph/macs.ts";
import type { Model } from "./model.ts";
import { countParameters, imageInput, traceModule } from "./trace.ts";

export interface Statistics {
  /** Trained values. */
  readonly parameters: number;
  /** Multiply-accumulates of one image, in units of 1e9: convolutions and matrix products. */
  readonly gmacs: number;
}

/** Counts from the traced graph; nothing is run. */
export function statistics(model: Model): Statistics {
  const { output } = traceModule(model.forward, imageInput(model, 1), { training: false, source: "inputs" });
  return { parameters: countParameters(model), gmacs: countMacs([output]) / 1e9 };
}
