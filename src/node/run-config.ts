import { execFile } from "node:child_process";
import { arch, availableParallelism, release, totalmem } from "node:os";
import { promisify } from "node:util";
import sharp from "sharp";
import { TesseraeError } from "../errors.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Machine } from "./machine.ts";
import { runtimeVersion } from "./ort.ts";
import { SENSELESS, type SettingName, settingNames, type TrainSettings } from "./settings/index.ts";
import type { OpenedData } from "./sources/open-data.ts";
import type { RepeatedRun, TrainOptions } from "./train-options.ts";
import { VERSION } from "./version.ts";

const FORMAT = "tesserae-run";

/** What config.json holds: all that is needed to repeat a run. */
export interface RunConfig extends RepeatedRun {
  readonly fingerprint: { readonly train: string; readonly val: string };
  readonly format: typeof FORMAT;
  /** Words after "tesserae", of the call that wrote the file last. */
  readonly command: readonly string[];
  readonly data: string;
  readonly dataset: string;
  readonly images: { readonly train: number; readonly val: number };
  readonly output?: string;
  /** All of them, defaults too. */
  readonly settings: TrainSettings;
  readonly spec: ModelSpec;
  readonly machine: Machine;
  readonly host: {
    readonly platform: string;
    readonly arch: string;
    readonly release: string;
    readonly processors: number;
    /** Bytes. */
    readonly memory: number;
  };
  /** Of the folder the run was started in; absent where that is no git repository. */
  readonly git?: { readonly commit: string; readonly changed: boolean };
}

/** The commit of a folder's repository, and whether files differ from it; undefined where there is none, or no git. */
export async function repositoryOf(folder: string): Promise<RunConfig["git"]> {
  const git = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("git", ["-C", folder, ...words], { timeout: 5000 });
    return stdout.trim();
  };
  try {
    const commit = await git("rev-parse", "HEAD");
    return { commit, changed: (await git("status", "--porcelain", "--untracked-files=no")) !== "" };
  } catch {
    return undefined;
  }
}

interface DescribedRun extends Pick<RunConfig, "settings" | "spec" | "fingerprint" | "machine"> {
  readonly data: OpenedData;
}

export async function describeRun(
  { data, output }: TrainOptions,
  { settings, spec, data: { kind, train, val }, fingerprint, machine }: DescribedRun,
): Promise<RunConfig> {
  return {
    format: FORMAT,
    command: process.argv.slice(2),
    data,
    dataset: kind,
    images: { train: train.samples.length, val: val.samples.length },
    fingerprint,
    output,
    settings,
    spec,
    versions: {
      tesserae: VERSION,
      node: process.versions.node,
      onnxruntime: runtimeVersion(),
      sharp: sharp.versions.sharp ?? "unknown",
      libvips: sharp.versions.vips,
    },
    machine,
    host: {
      platform: process.platform,
      arch: arch(),
      release: release(),
      processors: availableParallelism(),
      memory: totalmem(),
    },
    git: await repositoryOf(process.cwd()),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether an object read from JSON is a run's config.json. */
export const isRunConfig = (value: object): boolean => (value as Fields).format === FORMAT;

/**
 * What trains the run of a config.json again: its data and settings, less those that mean nothing beside the others, as
 * nobody can have given them. Throws TesseraeError("usage") where it is none, or of another version's settings.
 */
export function repeatOf(
  config: object,
  where: string,
): Partial<TrainSettings> & Pick<TrainOptions, "data" | "repeat"> {
  const { data, settings, fingerprint, versions, machine } = config as Fields;
  if (!isRunConfig(config) || typeof data !== "string" || !isFields(settings))
    throw new TesseraeError("usage", "is not a run's config.json", { where });
  const unknown = Object.keys(settings).filter((name) => !settingNames.includes(name as SettingName));
  if (unknown.length > 0)
    throw new TesseraeError("usage", `has settings that this version does not know: ${unknown.join(", ")}`, { where });
  const kept: Record<string, unknown> = { ...settings };
  for (const { names, when } of SENSELESS) if (when(settings)) for (const name of names) delete kept[name];
  return { ...kept, data, repeat: { fingerprint, versions, machine } as RepeatedRun };
}

/** Why the weights may differ from those of the run that is repeated, a line for each reason. */
export function differencesFrom({ fingerprint, versions }: RepeatedRun, now: RepeatedRun): string[] {
  const other = (["train", "val"] as const).filter((part) => fingerprint?.[part] !== now.fingerprint?.[part]);
  const moved = Object.entries(now.versions ?? {}).filter(
    ([name, version]) => name !== "onnxruntime" && versions?.[name] !== version, // the machine's difference names it
  );
  return [
    ...(other.length > 0 ? [`the images of ${other.join(" and ")} are not those of the run that is repeated`] : []),
    ...moved.map(([name, version]) => `${name} is ${version}; in the run that is repeated it was ${versions?.[name]}`),
  ];
}
