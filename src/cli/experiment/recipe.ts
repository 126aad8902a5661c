import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { TesseraeError } from "../../errors.ts";

/** Flags of `tesserae train` (or `eval`), as in its config files. */
export type Flags = Readonly<Record<string, unknown>>;

/** The values that one thing takes in an experiment, by name, each with the flags that it stands for. */
export type Axis = Readonly<Record<string, Flags>>;

/** What is run: every combination of the axes' values, for each seed. */
export interface Plan {
  readonly flags: Flags;
  readonly axes: Readonly<Record<string, Axis>>;
  readonly seeds: readonly number[];
  /** Evaluations of the trained model beside the run's own: flags of `tesserae eval` by name. */
  readonly evaluate: Readonly<Record<string, Flags>>;
}

export const SCALES = ["small", "full"] as const;
export type Scale = (typeof SCALES)[number];

/** A file of recipes/experiments. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly argument: string;
  readonly plans: Readonly<Record<Scale, Plan>>;
  /** A Vega-Lite specification without data: they are the rows of the results. */
  readonly figure: Readonly<Record<string, unknown>>;
  /** The axis whose values are the columns of the table; the others are its rows. */
  readonly columns?: string;
}

/** One training run of a plan. */
export interface PlannedRun {
  /** Unique within the plan, and a folder's name. */
  readonly id: string;
  /** The value of each axis. */
  readonly values: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly flags: Flags;
  readonly evaluate: Plan["evaluate"];
  /** A Python script that does the run in place of `tesserae train`, with the same flags. */
  readonly peer?: string;
}

const isObject = (v: unknown): v is Readonly<Record<string, unknown>> =>
  typeof v === "object" && v !== null && !Array.isArray(v);

/** `over` upon `base`, objects key by key; null takes a key away. */
export function overlay(base: Flags, over: Flags): Flags {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isObject(value) ? overlay(isObject(before) ? before : {}, value) : value;
  }
  return merged;
}

/** Reads an experiment. Throws TesseraeError("usage") that says what is wrong with it. */
export function parseExperiment(name: string, text: string): Experiment {
  const fail = (what: string) => new TesseraeError("usage", what, { where: `${name}.yaml` });
  let file: unknown;
  try {
    file = parse(text);
  } catch (error) {
    throw fail(`is not YAML (${(error as Error).message.split("\n")[0].replace(/:$/, "")})`);
  }
  if (!isObject(file)) throw fail("is not an object");
  const { title, paper, argument, figure, columns, flags = {}, axes = {}, seeds = [1], evaluate = {}, ...rest } = file;
  for (const [key, value] of Object.entries({ title, paper, argument }))
    if (typeof value !== "string" || value === "") throw fail(`${key} is not a text`);
  if (!isObject(figure)) throw fail("figure is not a Vega-Lite specification");
  const unknown = Object.keys(rest).filter((key) => !["small", "full", "command", "cost", "measured"].includes(key));
  if (unknown.length > 0) throw fail(`has an unknown key ${unknown[0]}`);
  const planOf = (scale: Scale): Plan => {
    const over = rest[scale] ?? {};
    if (!isObject(over)) throw fail(`${scale} is not an object`);
    const plan = overlay({ flags, axes, seeds, evaluate }, over) as unknown as Plan;
    if (!isObject(plan.flags) || !isObject(plan.evaluate)) throw fail(`${scale}: flags are not an object`);
    if (!isObject(plan.axes) || !Object.values(plan.axes).every((a) => isObject(a) && Object.values(a).every(isObject)))
      throw fail(`${scale}: an axis is not values with their flags`);
    const whole = Array.isArray(plan.seeds) && plan.seeds.length > 0 && plan.seeds.every(Number.isSafeInteger);
    if (!whole) throw fail(`${scale}: seeds are not whole numbers`);
    return plan;
  };
  const plans = { small: planOf("small"), full: planOf("full") };
  if (columns !== undefined && !(typeof columns === "string" && columns in plans.small.axes))
    throw fail(`columns is not one of its axes`);
  return {
    name,
    ...({ title, paper, argument, figure, columns } as Pick<Experiment, "title" | "paper" | "argument">),
    plans,
    figure,
  };
}

/** Words in lower case joined by -, from any text: part of a folder's name. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\s*%/g, "pc")
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^-|-$/g, "");

/** The runs of a plan: every combination, all of the first seed before those of the second. */
export function runsOf({ flags, axes, seeds, evaluate }: Plan): PlannedRun[] {
  let combinations: { values: Record<string, string>; flags: Flags }[] = [{ values: {}, flags }];
  for (const [axis, choices] of Object.entries(axes))
    combinations = combinations.flatMap((c) =>
      Object.entries(choices).map(([value, more]) => ({
        values: { ...c.values, [axis]: value },
        flags: overlay(c.flags, more),
      })),
    );
  return seeds.flatMap((seed) =>
    combinations.map(({ values, flags: { peer, ...own } }) => ({
      id: [...Object.values(values).map(slug), `seed${seed}`].join("_"),
      values,
      seed,
      flags: { ...own, seed },
      evaluate,
      ...(peer !== undefined && { peer: String(peer) }),
    })),
  );
}

/** The experiments of a folder, by name. */
export async function readExperiments(folder: string): Promise<Map<string, Experiment>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".yaml")).sort();
  const read = files.map(async (file) => {
    const name = file.slice(0, -".yaml".length);
    return [name, parseExperiment(name, await readFile(join(folder, file), "utf8"))] as const;
  });
  return new Map(await Promise.all(read));
}
