import type { Program } from "../program.ts";
import { commonSubexpressions } from "./common-subexpressions.ts";

/** A rewrite that changes no result beyond rounding. */
export type Pass = (program: Program) => Program;

/** In the order in which they run. */
export const PASSES: Readonly<Record<string, Pass>> = {
  "common-subexpressions": commonSubexpressions,
};

/** Runs all passes but those named in `without`. */
export function optimize(program: Program, { without = [] }: { without?: readonly string[] } = {}): Program {
  return Object.entries(PASSES).reduce((p, [name, pass]) => (without.includes(name) ? p : pass(p)), program);
}
