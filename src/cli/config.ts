import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Command, InvalidArgumentError, type Option } from "commander";
import { TesseraeError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { oneLine } from "./report.ts";

/** Keys that only speak to the reader of a recipe. */
export const PROSE = new Set([
  "about",
  "title",
  "paper",
  "source",
  "notes",
  "note",
  "cost",
  "measured",
  "result",
  "results",
]);
/** Flags that a file cannot set. */
const NOT_HERE = new Set(["config", "debug"]);

/** Values of the flags of `command`, by their option names. `data` is the folder of images. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/**
 * Reads defaults of a command's flags from JSON or YAML: keys are flag names, with - or _. A run's config.json gives
 * the settings of that run, by their own names.
 * Throws TesseraeError: "io" where it cannot be read, "usage" for a key that is no flag or a value it cannot have.
 */
export async function readConfig(file: string, command: Command): Promise<ConfigValues> {
  const read = await readObject(file);
  if (read.format === "tesserae-run") return (await import("../node/run-config.ts")).repeatOf(read, file);
  return configValues(read, file, command);
}

/** The values of an object of flags, `file` being where it stands. Throws TesseraeError("usage"). */
export function configValues(read: Readonly<Record<string, unknown>>, file: string, command: Command): ConfigValues {
  const known = new Map(command.options.filter((o) => o.long).map((o) => [nameOf(o), o]));
  for (const name of NOT_HERE) known.delete(name);
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(read)) {
    const name = key.replaceAll("_", "-");
    const option = known.get(name);
    if (PROSE.has(name) || (value === null && option)) continue;
    if (name === "data") values.data = textOf(file, key, value);
    else if (option) values[option.attributeName()] = convert(file, key, value, option);
    else throw unknownKey(file, key, [...known.keys(), "data"]);
  }
  return values;
}

const nameOf = (option: Option): string => (option.long as string).replace(/^--/, "");

const usage = (where: string, what: string, hint?: string) => new TesseraeError("usage", what, { where, hint });

function unknownKey(file: string, key: string, known: readonly string[]): TesseraeError {
  const near = nearest(key.replaceAll("_", "-"), known);
  return usage(file, `unknown key ${key}`, near.length > 0 ? `Did you mean ${near.join(", ")}?` : undefined);
}

/** Throws TesseraeError: "io" where it cannot be read, "usage" where it is no object. */
export async function readObject(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "no such file" : `cannot be read (${code})`;
    throw new TesseraeError("io", what, { where: file, cause });
  }
  const parsed = extname(file).toLowerCase() === ".json" ? parseJson(text, file) : await parseYaml(text, file);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw usage(file, "is not a list of flag: value");
  return parsed as Record<string, unknown>;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usage(file, `is not JSON (${oneLine((error as Error).message)})`);
  }
}

async function parseYaml(text: string, file: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    return parse(text);
  } catch (error) {
    throw usage(file, `is not YAML (${(error as Error).message.split("\n")[0].replace(/:$/, "")})`);
  }
}

function textOf(file: string, key: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw usage(file, `${key} cannot be ${JSON.stringify(value)}`);
}

/** A value as the flag itself would read it from the command line. */
function convert(file: string, key: string, value: unknown, option: Option): unknown {
  const refuse = (why: string) => usage(file, `${key} cannot be ${JSON.stringify(value)}${why && `: ${why}`}`);
  if (option.isBoolean()) {
    if (typeof value === "boolean") return value;
    throw refuse("it is true or false");
  }
  if (option.attributeName() === "modelKwargs") {
    if (typeof value === "object" && !Array.isArray(value)) return value;
    throw refuse("it takes key: value pairs");
  }
  if (typeof value === "object" && !(Array.isArray(value) && value.every((v) => typeof v !== "object")))
    throw refuse("");
  if (value === true && option.optional) return convert(file, key, option.presetArg, option);
  if (typeof value === "boolean") throw refuse("it takes a value");
  const text = Array.isArray(value) ? value.join(",") : String(value);
  try {
    return option.parseArg ? option.parseArg(text, undefined) : text;
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw refuse(error.message.replace(/\.$/, ""));
    throw error;
  }
}
