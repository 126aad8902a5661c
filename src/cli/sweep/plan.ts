import { keyed } from "../../data/random.ts";
import { TesseraeError } from "../../errors.ts";

/** A flag's value, as a config file gives it. */
export type FlagValue = string | number | boolean;

/** What a flag takes in the trials: one of some values, or of a range. */
export type Choice = { readonly values: readonly FlagValue[] } | Range;

export interface Range {
  readonly min: number;
  readonly max: number;
  /** Even in the logarithm. */
  readonly log: boolean;
  /** Whole numbers alone. */
  readonly whole: boolean;
  /** Points of a grid. */
  readonly steps?: number;
}

export interface SweepPlan {
  readonly method: "grid" | "random";
  /** Of a random sweep. */
  readonly trials: number;
  readonly seed: number;
  /** By flag. */
  readonly parameters: Readonly<Record<string, Choice>>;
}

export type TrialValues = Readonly<Record<string, FlagValue>>;

/** Trials of a grid at most: more are a slip. */
const MOST_TRIALS = 10_000;

/** Significant digits of drawn numbers: a rate of 0.0012345678 says no more than 0.001235. */
const DIGITS = 4;

/** The value of a range at u in [0, 1]. */
function at({ min, max, log, whole }: Range, u: number): number {
  const value = log ? Math.exp(Math.log(min) + u * Math.log(max / min)) : min + u * (max - min);
  const rounded = whole ? Math.round(value) : Number(value.toPrecision(DIGITS));
  return Math.min(max, Math.max(min, rounded));
}

/** Whole numbers are drawn evenly: each has a share of [0, 1) as wide as another's. */
function draw(choice: Choice, u: number): FlagValue {
  if ("values" in choice) return choice.values[Math.floor(u * choice.values.length)];
  const { min, max, log, whole } = choice;
  return whole && !log ? min + Math.floor(u * (max - min + 1)) : at(choice, u);
}

function gridOf(name: string, choice: Choice): readonly FlagValue[] {
  if ("values" in choice) return choice.values;
  const { min, max, steps, whole, log } = choice;
  if (steps === undefined && whole && !log) return Array.from({ length: max - min + 1 }, (_, i) => min + i);
  if (steps === undefined)
    throw new TesseraeError("usage", `a grid needs the values of ${name}, or the steps of its range`, {
      hint: `As in ${name}: {min: ${min}, max: ${max}, steps: 3}`,
    });
  return [...new Set(Array.from({ length: steps }, (_, i) => at(choice, steps === 1 ? 0.5 : i / (steps - 1))))];
}

/**
 * The trials of a sweep: of a grid all combinations, the last flag changing fastest; else as many draws as asked for. A
 * draw depends on the seed, the trial's number and the flag's name alone, so that more trials leave the first as they were.
 */
export function trialsOf({ method, trials, seed, parameters }: SweepPlan): TrialValues[] {
  const entries = Object.entries(parameters);
  if (method === "random")
    return Array.from({ length: trials }, (_, trial) =>
      Object.fromEntries(
        entries.map(([name, choice]) => [name, draw(choice, keyed(seed, "sweep", trial, name).uniform())]),
      ),
    );
  const axes = entries.map(([name, choice]) => gridOf(name, choice).map((value) => [name, value] as const));
  const size = axes.reduce((product, axis) => product * axis.length, 1);
  if (size > MOST_TRIALS) throw new TesseraeError("usage", `a grid of ${size} trials; ${MOST_TRIALS} at most`);
  return axes
    .reduce<(readonly (readonly [string, FlagValue])[])[]>(
      (rows, axis) => rows.flatMap((row) => axis.map((entry) => [...row, entry])),
      [[]],
    )
    .map((row) => Object.fromEntries(row));
}
