import type { Command } from "commander";
import { TesseraeError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { longFlag, settings, settle, type TrainSettings } from "../../node/settings/index.ts";
import { configValues, PROSE, readObject } from "../config.ts";
import { mergeFlags } from "../train-flags.ts";
import { type Choice, type FlagValue, type SweepPlan, type TrialValues, trialsOf } from "./plan.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Sweep {
  readonly data?: string;
  readonly plan: SweepPlan;
  readonly trials: readonly Trial[];
}

export interface Trial {
  /** trial-000, ... */
  readonly name: string;
  readonly values: TrialValues;
  /** All flags of its run, as a config file has them. */
  readonly flags: Fields;
}

const KEYS = ["data", "method", "trials", "seed", "train", "parameters"] as const;
const RANGE_KEYS = ["min", "max", "log", "whole", "steps", "values"] as const;
const DEFAULT_TRIALS = 10;
/** Flags of the sweep's own. */
const OURS = ["output", "resume", "data", "config"];

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isFlagValue = (value: unknown): value is FlagValue => ["string", "number", "boolean"].includes(typeof value);

const dashed = (key: string): string => (key.includes(".") ? key : key.replaceAll("_", "-"));

/**
 * Reads a sweep's file and checks every trial as `train` would, before the first one starts. Throws TesseraeError("usage"),
 * or "io" where it cannot be read.
 */
export async function readSweep(file: string, train: Command, trials?: number): Promise<Sweep> {
  const fields = await readObject(file);
  const refuse = (what: string, hint?: string) => new TesseraeError("usage", what, { where: file, hint });
  for (const key of Object.keys(fields))
    if (!KEYS.includes(key as never) && !PROSE.has(key)) throw refuse(...unknown(key, KEYS));
  const { data, method = "random", seed = 0, train: base = {}, parameters } = fields;
  const count = trials ?? fields.trials ?? DEFAULT_TRIALS;
  if (method !== "grid" && method !== "random")
    throw refuse(`method must be grid or random, not ${JSON.stringify(method)}`);
  if (method === "grid" && (trials ?? fields.trials) !== undefined)
    throw refuse("a grid has as many trials as it has points: leave trials out");
  if (!Number.isSafeInteger(seed)) throw refuse("seed must be a whole number");
  if (!Number.isSafeInteger(count) || (count as number) < 1)
    throw refuse("trials must be a whole number of at least 1");
  if (data !== undefined && typeof data !== "string") throw refuse("data must be a path");
  if (!isFields(base)) throw refuse("train must be a list of flag: value");
  if (!isFields(parameters) || Object.keys(parameters).length === 0)
    throw refuse("names no parameters", "As in parameters: {lr: {min: 1e-4, max: 1e-2, log: true}}");
  for (const key of [...Object.keys(base), ...Object.keys(parameters)])
    if (OURS.includes(dashed(key))) throw refuse(`${key} is the sweep's own: it cannot be set for its trials`);
  const choices = Object.entries(parameters).map(
    ([key, value]) => [dashed(key), choiceOf(dashed(key), value, refuse)] as const,
  );
  const plan: SweepPlan = {
    method,
    trials: count as number,
    seed: seed as number,
    parameters: Object.fromEntries(choices),
  };
  const planned = trialsOf(plan).map((values, i) => ({
    name: `trial-${String(i).padStart(3, "0")}`,
    values,
    flags: flagsOf(base, values),
  }));
  for (const { name, flags } of planned) checkTrial(`${file}, ${name}`, flags, train);
  return { data: data as string | undefined, plan, trials: planned };
}

const unknown = (key: string, known: readonly string[]): [string, string | undefined] => {
  const near = nearest(key, known);
  return [`unknown key ${key}`, near.length > 0 ? `Did you mean ${near.join(", ")}?` : undefined];
};

type Refuse = (what: string, hint?: string) => TesseraeError;

function choiceOf(name: string, given: unknown, refuse: Refuse): Choice {
  const values = Array.isArray(given) ? given : isFields(given) && given.values;
  if (Array.isArray(values)) {
    if (values.length === 0 || !values.every(isFlagValue)) throw refuse(`${name} needs a list of at least one value`);
    return { values };
  }
  if (!isFields(given)) throw refuse(`${name} must be a list of values, or {min, max, log}`);
  for (const key of Object.keys(given))
    if (!RANGE_KEYS.includes(key as never)) throw refuse(...unknown(key, RANGE_KEYS));
  const { min, max, log = false, steps, whole = isWhole(name, given) } = given;
  if (typeof min !== "number" || typeof max !== "number" || !Number.isFinite(min) || !Number.isFinite(max) || min > max)
    throw refuse(`${name} needs min and max, the smaller first`);
  if (typeof log !== "boolean" || typeof whole !== "boolean")
    throw refuse(`log and whole of ${name} are true or false`);
  if (log && min <= 0) throw refuse(`${name} has a logarithm only above 0`);
  if (whole && !(Number.isSafeInteger(min) && Number.isSafeInteger(max))) throw refuse(`${name} takes whole numbers`);
  if (steps !== undefined && !(Number.isSafeInteger(steps) && (steps as number) >= 1))
    throw refuse(`steps of ${name} must be a whole number of at least 1`);
  return { min, max, log, whole, ...(steps !== undefined && { steps: steps as number }) };
}

/** Flags of whole numbers, and options of the model between whole bounds. */
function isWhole(name: string, { min, max }: Fields): boolean {
  if (name.startsWith("model-kwargs.")) return Number.isSafeInteger(min) && Number.isSafeInteger(max);
  const setting = Object.values(settings).find(({ flag }) => longFlag(flag) === `--${name}`);
  return setting?.kind === "whole" || setting?.kind === "count";
}

/** "model-kwargs.depth" goes into the model's options. */
function flagsOf(base: Fields, values: TrialValues): Fields {
  const flags: Record<string, unknown> = Object.fromEntries(
    Object.entries(base).map(([key, value]) => [dashed(key), value]),
  );
  for (const [name, value] of Object.entries(values)) {
    const [group, option] = name.split(".", 2);
    if (option === undefined) flags[name] = value;
    else flags[group] = { ...(flags[group] as Fields | undefined), [option]: value };
  }
  return flags;
}

function checkTrial(where: string, flags: Fields, train: Command): void {
  const values = configValues(flags, where, train);
  try {
    settle(mergeFlags({}, values) as Partial<TrainSettings>);
  } catch (error) {
    if (error instanceof TesseraeError) throw new TesseraeError(error.code, error.message, { where, cause: error });
    throw error;
  }
}
