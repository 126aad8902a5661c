import { parse } from "csv-parse/sync";
import type { ClassRow, FactGroup, RunDetails, RunDifference, RunEntry, RunState } from "../../studio/run.ts";
import { isCheckpointFolder } from "../../train/checkpoint.ts";
import { PER_CLASS_FILE } from "../class-quality.ts";
import { bestEpoch, differencesOf, type EpochFigures, epochFigures, parametersOf, parseRunConfig } from "../compare.ts";
import { epochsOf } from "../recipe.ts";
import { parseSummary, SUMMARY_FILE } from "../record/summary.ts";
import type { RunConfig } from "../run-config.ts";
import { CONFIG_FILE, MODEL_FILE } from "../run-folder.ts";
import { isInUse } from "../run-lock.ts";
import { DEFAULTS, longFlag, settingNames, settings } from "../settings/index.ts";
import { namesIn, type Place, readInside, statInside, versionOf } from "./folders.ts";

interface ReadRun {
  readonly config: RunConfig;
  readonly epochs: readonly EpochFigures[];
  readonly parameters?: number;
}

/** A run's settings and figures; undefined where its config.json is none of ours. */
async function readRun(place: Place): Promise<ReadRun | undefined> {
  const text = await readInside(place, CONFIG_FILE);
  try {
    const config = parseRunConfig(text ?? "", place.name);
    const epochs = epochFigures(parseSummary((await readInside(place, SUMMARY_FILE)) ?? ""));
    return { config, epochs, parameters: parametersOf(config) };
  } catch {
    return undefined;
  }
}

async function stateOf(place: Place, done: number, planned: number): Promise<RunState> {
  if (isInUse(place.path)) return "running";
  const [model, summary] = [await statInside(place, MODEL_FILE), await statInside(place, SUMMARY_FILE)];
  // A run that stopped early because nothing became better has exported its model after its last epoch.
  const exported = model !== undefined && summary !== undefined && model.mtimeMs >= summary.mtimeMs;
  return done >= planned || exported ? "finished" : "stopped";
}

/** Reads runs, each again only when its files have changed. */
export class RunReader {
  readonly #known = new Map<string, { version: string; run: ReadRun | undefined }>();

  async #read(place: Place): Promise<ReadRun | undefined> {
    const version = await versionOf(place);
    const known = this.#known.get(place.path);
    if (known?.version === version) return known.run;
    const run = await readRun(place);
    this.#known.set(place.path, { version, run });
    return run;
  }

  async entry(place: Place): Promise<RunEntry | undefined> {
    const run = await this.#read(place);
    try {
      return run && (await entryOf(place, run));
    } catch {
      return undefined; // a config.json that claims to be ours and is not
    }
  }

  /** Newest first; folders whose config.json is none of ours are left out. */
  async entries(places: Iterable<Place>): Promise<RunEntry[]> {
    const found = await Promise.all([...places].map((place) => this.entry(place)));
    return found.filter((e) => e !== undefined).sort((a, b) => b.changed - a.changed || (a.id < b.id ? -1 : 1));
  }

  async details(place: Place): Promise<RunDetails | undefined> {
    const [run, entry] = [await this.#read(place), await this.entry(place)];
    if (!run || !entry) return undefined;
    return { entry, facts: factsOf(run), classes: classRows((await readInside(place, PER_CLASS_FILE)) ?? "") };
  }

  async differences(places: readonly Place[]): Promise<RunDifference[]> {
    const runs = (await Promise.all(places.map((p) => this.#read(p)))).filter((run) => run !== undefined);
    if (runs.length < 2) return [];
    return differencesOf(runs).map(({ name, values }) => ({ name, values: values.map(shown) }));
  }
}

async function entryOf(place: Place, { config, epochs, parameters }: ReadRun): Promise<RunEntry> {
  const { id, name } = place;
  const { spec, settings: s, data } = config;
  const planned = epochsOf(s);
  const changes = await Promise.all([CONFIG_FILE, SUMMARY_FILE, MODEL_FILE].map((file) => statInside(place, file)));
  return {
    ...{ id, name, model: spec.name, parameters, data, classes: spec.classes.length },
    state: await stateOf(place, epochs.length, planned),
    ...{ epochs: epochs.length, planned, metric: s.evalMetric },
    ...{ best: bestEpoch({ config, epochs }), last: epochs.at(-1) },
    changed: Math.max(...changes.map((info) => info?.mtimeMs ?? 0)),
    hasModel: (await namesIn(place)).some(isCheckpointFolder),
  };
}

/** Options as key=value, lists by commas. */
function shown(value: unknown): string {
  if (value === undefined) return "-";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => `${k}=${shown(v)}`)
    .join(" ");
}

const group = (title: string, values: object | undefined): FactGroup => ({
  title,
  facts: Object.entries(values ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [name, shown(value)] as const),
});

function factsOf({ config, parameters }: ReadRun): FactGroup[] {
  const { spec, settings: s, data, dataset, images, fingerprint, versions, machine, git, command } = config;
  const changed = settingNames.filter((n) => JSON.stringify(s[n]) !== JSON.stringify(DEFAULTS[n]));
  const recipe = changed.map((n) => [longFlag(settings[n].flag), s[n]]);
  return [
    group("Model", {
      ...{ name: spec.name, parameters: parameters?.toLocaleString("en"), input: spec.inputShape.join(" × ") },
      ...{ classes: spec.classes.length, license: spec.license },
    }),
    group("Settings that are not the default", Object.fromEntries(recipe)),
    group("Data", {
      ...{ place: data, kind: dataset, "training images": images?.train, "held-out images": images?.val },
      ...{ "fingerprint of training": fingerprint?.train, "fingerprint of held out": fingerprint?.val },
    }),
    group("Machine and versions", {
      ...machine,
      forms: Object.keys(machine?.forms ?? {}).length || undefined,
      ...versions,
      commit: git && `${git.commit}${git.changed ? " +" : ""}`,
    }),
    group("Command", { tesserae: command?.join(" ") }),
  ].filter(({ facts }) => facts.length > 0);
}

const numberOf = (cell: string | undefined): number | undefined =>
  cell === undefined || cell === "" ? undefined : Number(cell);

/** The rows of a per-class.csv; none where it cannot be read. */
export function classRows(text: string): ClassRow[] {
  let rows: Record<string, string>[];
  try {
    rows = parse(text, { columns: true, skip_empty_lines: true });
  } catch {
    return [];
  }
  return rows.map((r) => ({
    ...{ name: r["class"] ?? "", images: Number(r["images"]), accuracy: numberOf(r["accuracy"]) },
    ...{ precision: numberOf(r["precision"]), f1: numberOf(r["f1"]) },
    ...{ mistakenFor: r["mistaken_for"] || undefined, mistakenImages: numberOf(r["mistaken_images"]) },
  }));
}
