import "../../ops/index.ts";
import type { Adapters } from "../call.ts";
import { constants } from "./constants.ts";
import { contributed, elementwise } from "./elementwise.ts";
import { attention, linalg } from "./linalg.ts";
import { norms } from "./norm.ts";
import { pools } from "./pool.ts";
import { reductions } from "./reduce.ts";
import { shapes } from "./shape.ts";

const STANDARD: Adapters = {
  ...constants,
  ...elementwise,
  ...linalg,
  ...norms,
  ...pools,
  ...reductions,
  ...shapes,
  Attention: attention,
};

const DOMAINS: ReadonlyMap<string, ReadonlyMap<string, Adapters[string]>> = new Map([
  ["", new Map(Object.entries(STANDARD))],
  ["ai.onnx", new Map(Object.entries(STANDARD))],
  ["com.microsoft", new Map(Object.entries(contributed))],
]);

/** How an operator is read; undefined for one that is not. */
export const adapterOf = (domain: string, op: string): Adapters[string] | undefined => DOMAINS.get(domain)?.get(op);

/** Operators that are read, of the standard domain. */
export const readOperators = (): string[] => [...Object.keys(STANDARD), "If"].sort();
