import { TesseraeError } from "../../errors.ts";
import type { MagnitudeNoise, OperationName } from "./operations.ts";
import {
  augMixOperations,
  type PolicyName,
  policies,
  randIncreasingOperations,
  randOperations,
  randSets,
} from "./policies.ts";

/** What `--aa` stands for, with timm's grammar: a name, then parts of a key and a value, joined by dashes. Plain data. */
export type AutoAugmentPlan = AutoPlan | RandPlan | AugMixPlan;

export interface AutoPlan {
  name: "autoAugment";
  policy: PolicyName;
  noise: MagnitudeNoise;
}

export interface RandPlan {
  name: "randAugment";
  /** Operations and, where not all alike, their weights; weighted ones are drawn without replacement. */
  operations: readonly OperationName[];
  weights?: readonly number[];
  magnitude: number;
  /** Operations an image. */
  layers: number;
  /** Probability of each. */
  p: number;
  noise: MagnitudeNoise;
}

export interface AugMixPlan {
  name: "augMix";
  operations: readonly OperationName[];
  magnitude: number;
  /** Number of chains. */
  width: number;
  /** Operations a chain; 0 for one to three at random. */
  depth: number;
  /** Of the Dirichlet and the beta distribution of the weights. */
  alpha: number;
  /** Chain by chain onto the image, in bytes, rather than by one mixture. */
  blended: boolean;
  noise: MagnitudeNoise;
}

interface Key {
  what: string;
  whole?: true;
  least?: number;
  most?: number;
}

const keys = {
  m: { what: "magnitude", whole: true },
  n: { what: "operations an image", whole: true, least: 1, most: 100 },
  p: { what: "probability", most: 1 },
  mstd: { what: "standard deviation of the magnitude" },
  mmax: { what: "largest magnitude", whole: true, least: 1, most: 1000 },
  inc: { what: "operations that grow with the magnitude, 0 or 1", whole: true, most: 1 },
  w: { what: "number of chains", whole: true, least: 1, most: 100 },
  d: { what: "operations a chain", whole: true, most: 100 },
  a: { what: "alpha", least: 0.001 },
  b: { what: "blended, 0 or 1", whole: true, most: 1 },
} satisfies Record<string, Key>;

type KeyName = keyof typeof keys;

const TOP = 10;

/** @throws TesseraeError `usage`, one line that names the part. */
export function parseAutoAugment(text: string): AutoAugmentPlan {
  const [name, ...parts] = text.split("-");
  if (name === "rand") return randPlan(text, parts);
  if (name === "augmix") return augMixPlan(text, parts);
  if (Object.hasOwn(policies, name)) {
    const { mstd = 0 } = numbers(text, parts, ["mstd"]);
    return { name: "autoAugment", policy: name as PolicyName, noise: { std: mstd, max: TOP } };
  }
  const known = ["rand", "augmix", ...Object.keys(policies)].join(", ");
  throw new TesseraeError("usage", `aa "${text}": no policy "${name}"`, { hint: `there are ${known}` });
}

function randPlan(text: string, parts: string[]): RandPlan {
  const named = parts.filter((part) => part.startsWith("t"));
  const rest = parts.filter((part) => !part.startsWith("t"));
  const given = numbers(text, rest, ["m", "n", "p", "mstd", "mmax", "inc"]);
  const { m = TOP, n = 2, p = 0.5, mstd = 0, mmax = TOP, inc = 0 } = given;
  const noise: MagnitudeNoise = { std: mstd > 100 ? "uniform" : mstd, max: mmax };
  const plan = { name: "randAugment", magnitude: m, layers: n, p, noise } as const;
  if (named.length > 1) refuse(text, named[1], "a second set of operations");
  if (named.length === 0) return { ...plan, operations: inc ? randIncreasingOperations : randOperations };
  const set = named[0].slice(1);
  if (!Object.hasOwn(randSets, set)) {
    const sets = Object.keys(randSets).map((s) => `t${s}`);
    refuse(text, named[0], `not a set of operations (${sets.join(", ")})`);
  }
  const operations = Object.keys(randSets[set]) as OperationName[];
  const weights = Object.values(randSets[set]);
  if (new Set(weights).size === 1) return { ...plan, operations };
  if (n > operations.length) refuse(text, `n${n}`, `more than the ${operations.length} operations of ${named[0]}`);
  return { ...plan, operations, weights };
}

function augMixPlan(text: string, parts: string[]): AugMixPlan {
  const { m = 3, w = 3, d = 0, a = 1, b = 0, mstd } = numbers(text, parts, ["m", "w", "d", "a", "b", "mstd"]);
  const noise: MagnitudeNoise = { std: mstd === undefined || mstd > 100 ? "uniform" : mstd, max: TOP };
  const plan = { magnitude: m, width: w, depth: d, alpha: a, blended: b === 1, noise };
  return { name: "augMix", operations: augMixOperations, ...plan };
}

function numbers(text: string, parts: string[], allowed: readonly KeyName[]): Partial<Record<KeyName, number>> {
  const found: Partial<Record<KeyName, number>> = {};
  for (const part of parts) {
    const [, key, digits] = /^([a-z]+)(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    const name = allowed.find((k) => k === key);
    if (!name) refuse(text, part, `not one of ${allowed.map((k) => `${k}<number>`).join(", ")}`);
    else if (found[name] !== undefined) refuse(text, part, `${name} for the second time`);
    else found[name] = inRange(text, part, keys[name], Number(digits));
  }
  return found;
}

function inRange(text: string, part: string, { what, whole, least = 0, most = 1e6 }: Key, value: number): number {
  if (whole && !Number.isInteger(value)) refuse(text, part, `the ${what} is a whole number`);
  if (value < least || value > most) refuse(text, part, `the ${what} is at least ${least} and at most ${most}`);
  return value;
}

function refuse(text: string, part: string, why: string): never {
  throw new TesseraeError("usage", `aa "${text}": "${part}": ${why}`);
}
