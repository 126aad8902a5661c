import { type Command, Option } from "commander";
import { TesseraeError } from "../errors.ts";
import {
  EITHER,
  GROUPS,
  SENSELESS,
  type Setting,
  type SettingName,
  settings,
  spelled,
  type TrainSettings,
} from "../node/settings/index.ts";
import type { TrainOptions } from "../node/train-options.ts";
import type { ConfigValues } from "./config.ts";
import { count, globsOf, keyValue, listOf, number, orOff, pairOf, whole } from "./flags.ts";

/** Flags of `train`, by the names of the settings they set. */
export interface TrainFlags extends Partial<Omit<TrainOptions, "onEvent" | "signal">> {
  logInterval?: number;
  config?: string;
  debug?: boolean;
}

export const DEFAULT_LOG_INTERVAL = 50;

const PARSERS = { number, whole, count, pair: pairOf, list: listOf, globs: globsOf, keyValue } as const;

/** The flag of a setting, as commander takes it. */
export function optionOf(setting: Setting<unknown>, own?: unknown): Option {
  const { flag, kind, off, alone, help } = setting;
  const told = own === undefined ? help : help.replace(/ \(default[^)]*\)/, "");
  const option = new Option(flag, describe(told, own ?? setting.default));
  if (alone !== undefined) option.preset(String(alone));
  if (typeof kind !== "string") return option.choices(kind);
  if (kind === "text" || kind === "switch") return option;
  if (off) return option.argParser(orOff(off.value));
  return option.argParser(PARSERS[kind] as (text: string) => unknown);
}

/** The flag of a setting; one that is on by default can be turned off. */
const optionsOf = (setting: Setting<unknown>, own: unknown): Option[] => [
  optionOf(setting, own),
  ...((own ?? setting.default) === true
    ? [new Option(setting.flag.replace("--", "--no-"), `without ${setting.flag} (default: with)`)]
    : []),
];

function describe(help: string, fallback: unknown): string {
  const empty =
    fallback === undefined ||
    (Array.isArray(fallback) && fallback.length === 0) ||
    typeof fallback === "boolean" ||
    help.includes("(default");
  if (empty || (typeof fallback === "object" && !Array.isArray(fallback))) return help;
  return `${help} (default: ${Array.isArray(fallback) ? fallback.join(" ") : fallback})`;
}

/** Flags of a run that are no settings. */
const RUN = (): Option[] => [
  new Option("--output <dir>", "run folder itself (default: runs/TIME-MODEL)"),
  new Option(
    "--resume [auto|path]",
    "auto: go on with what the run folder holds, or start; else a checkpoint's folder",
  ).preset("auto"),
  new Option(
    "--log-interval <steps>",
    `steps between lines where there is no terminal (default: ${DEFAULT_LOG_INTERVAL})`,
  ).argParser(count),
  configFlag(),
];

export const configFlag = (): Option =>
  new Option("--config <file>", "defaults of these flags, JSON or YAML (recipes/*.yaml); flags win");

/**
 * The flags of all settings; those that are not `shown` work, but are not in the help. `defaults` are told where they are
 * not those of `train`.
 */
export function addSettingFlags(
  command: Command,
  shown: (group: string, name: string) => boolean = () => true,
  defaults: Partial<TrainSettings> = {},
): void {
  for (const [group, of] of Object.entries(GROUPS))
    for (const [name, setting] of Object.entries(of) as [SettingName, Setting<unknown>][])
      for (const option of optionsOf(setting, defaults[name]))
        command.addOption(option.helpGroup(`${group}:`).hideHelp(!shown(group, name)));
}

/** Adds the flags of a training run; `defaults` are told where they are not those of `train`. */
export function addTrainFlags(command: Command, defaults: Partial<TrainSettings> = {}): Command {
  addSettingFlags(command, undefined, defaults);
  for (const option of RUN()) command.addOption(option.helpGroup("Run:"));
  return command;
}

/** Model options that have a flag of their own. */
const TWICE: Readonly<Record<string, SettingName>> = {
  img_size: "imgSize",
  in_chans: "inChans",
  num_classes: "numClasses",
  drop_rate: "drop",
  drop_path_rate: "dropPath",
};

/** Commander's name of a flag -> the setting's, where they differ. */
const RENAMED = new Map(
  (Object.keys(settings) as SettingName[])
    .map((name) => [optionOf(settings[name]).attributeName(), name] as const)
    .filter(([attribute, name]) => attribute !== name),
);

const renamed = (values: object): TrainFlags =>
  Object.fromEntries(Object.entries(values).map(([key, v]) => [RENAMED.get(key) ?? key, v]));

/**
 * The flags over the config file. Flags that contradict each other are refused; a flag given in words beats what
 * the file says, also where that would contradict it. Throws TesseraeError("usage").
 */
export function mergeFlags(given: object, config: ConfigValues, defaults: Partial<TrainSettings> = {}): TrainFlags {
  const flags = renamed(given);
  const file = renamed(config);
  const merged: TrainFlags = { ...file, ...flags };
  if (flags.modelOptions && file.modelOptions) merged.modelOptions = { ...file.modelOptions, ...flags.modelOptions };
  for (const { names, because, when, why } of SENSELESS) {
    for (const name of names) {
      if (!(name in merged) || !when({ ...defaults, ...(merged as Partial<TrainSettings>) })) continue;
      if (!(name in flags) && because in flags) delete merged[name];
      else throw new TesseraeError("usage", `${spelled(name)} ${why}`);
    }
  }
  for (const pair of EITHER) settleEither(pair, merged, flags);
  refuseTwice(merged, flags);
  return merged;
}

/** Of two settings that exclude each other, the one given in words beats the file's. */
function settleEither([a, b]: readonly [SettingName, SettingName], merged: TrainFlags, flags: TrainFlags): void {
  if (merged[a] === undefined || merged[b] === undefined) return;
  if (a in flags === b in flags) throw new TesseraeError("usage", `${spelled(a)} and ${spelled(b)} exclude each other`);
  delete merged[a in flags ? b : a];
}

function refuseTwice(merged: TrainFlags, flags: TrainFlags): void {
  for (const [option, name] of Object.entries(TWICE)) {
    if (merged.modelOptions?.[option] === undefined || merged[name] === undefined) continue;
    if (!(name in flags) || flags.modelOptions?.[option] !== undefined)
      throw new TesseraeError("usage", `${spelled(name)} and --model-kwargs ${option}=... say the same thing twice`);
    delete (merged.modelOptions as Record<string, unknown>)[option];
  }
}
