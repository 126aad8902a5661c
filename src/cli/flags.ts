import { type Command, InvalidArgumentError, Option } from "commander";
import type { Device } from "../node/ort.ts";
import { longFlag, settings } from "../node/settings/index.ts";
import { DEVICES } from "../node/settings/run.ts";
import type { Kind } from "../node/settings/setting.ts";

const refuse = (what: string): never => {
  throw new InvalidArgumentError(what);
};

export function number(text: string): number {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : refuse("It is not a number.");
}

export function whole(text: string): number {
  const value = number(text);
  return Number.isSafeInteger(value) ? value : refuse("It is not a whole number.");
}

export function count(text: string): number {
  const value = whole(text);
  return value >= 1 ? value : refuse("It must be at least 1.");
}

/** "0.08,1": two numbers, as flags of two values arrive from `joinPairs`. */
export function pairOf(text: string): [number, number] {
  const values = text.split(/[\s,]+/).map(number);
  return values.length === 2 ? [values[0], values[1]] : refuse("It takes two numbers.");
}

/** "30,60": numbers, as flags of several values arrive from `joinPairs`. */
export const listOf = (text: string): number[] => text.split(/[\s,]+/).map(number);
/** "a*,b": globs or names; repeats gather into one list. */
export const globsOf = (text: string, previous: readonly string[] = []): string[] => [
  ...previous,
  ...text.split(",").filter((glob) => glob.trim() !== ""),
];

/** A number, or "off". */
export const orOff =
  <T>(off: T) =>
  (text: string): number | T =>
    /^(off|none)$/i.test(text) ? off : number(text);

const LITERALS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null };

/** key=value as timm takes it, any key: JSON or a Python literal, else text. Repeats gather into one object. */
export function keyValue(text: string, previous: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [, key, value] = /^([^=\s][^=]*)=(.*)$/s.exec(text) ?? refuse("It is not of the form key=value.");
  if (value in LITERALS) return { ...previous, [key]: LITERALS[value] };
  try {
    return { ...previous, [key]: JSON.parse(value.replace(/^\((.*)\)$/, "[$1]")) };
  } catch {
    return { ...previous, [key]: value };
  }
}

const flagsOf = (kind: Kind): Set<string> =>
  new Set(
    Object.values(settings)
      .filter((s) => s.kind === kind)
      .map(({ flag }) => longFlag(flag)),
  );
const PAIRS = flagsOf("pair");
const LISTS = flagsOf("list");
const GLOBS = flagsOf("globs");
const isNumber = (text: string | undefined): boolean => text !== undefined && /^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(text);

/**
 * Words of flags that take several values, made into one word each, so that they never take the words behind them:
 * `--scale A B` -> `--scale=A,B`, `--mean A B C` -> `--mean=A,B,C`, `--freeze 'a*' 'b*'` -> `--freeze=a* --freeze=b*`, `--model-kwargs a=1 b=2` -> `--model-kwargs=a=1 --model-kwargs=b=2`.
 */
export function joinPairs(argv: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (PAIRS.has(word) && isNumber(argv[i + 1]) && isNumber(argv[i + 2])) {
      out.push(`${word}=${argv[++i]},${argv[++i]}`);
    } else if (LISTS.has(word) && isNumber(argv[i + 1])) {
      const numbers: string[] = [];
      while (isNumber(argv[i + 1])) numbers.push(argv[++i]);
      out.push(`${word}=${numbers}`);
    } else if (GLOBS.has(word) && argv[i + 1] !== undefined) {
      out.push(`${word}=${argv[++i]}`);
      while (/[*?]/.test(argv[i + 1] ?? "")) out.push(`${word}=${argv[++i]}`);
    } else if (word === "--model-kwargs" && /^\w+=/.test(argv[i + 1] ?? "")) {
      while (/^\w+=/.test(argv[i + 1] ?? "")) out.push(`${word}=${argv[++i]}`);
    } else if (word === "--") {
      return [...out, ...argv.slice(i)];
    } else out.push(word);
  }
  return out;
}

export interface EngineFlags {
  device?: Device;
  threads?: number;
}

export const deviceFlag = (): Option =>
  new Option("--device <name>", "where programs run (default: cpu)").choices(DEVICES);
export const threadsFlag = (): Option =>
  new Option("--threads <n>", "threads of the engine (default: all processors)").argParser(count);
export const workersFlag = (): Option =>
  new Option("-j, --workers <n>", "data workers, 0 for none (default: 1)").argParser(whole);

export const withEngine = (command: Command): Command => command.addOption(deviceFlag()).addOption(threadsFlag());
