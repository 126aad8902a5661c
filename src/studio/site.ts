import { TesseraeError } from "../errors.ts";
import type { RunDetails, RunDifference } from "./run.ts";

/** Name of the file that describes an exported folder. */
export const SITE_FILE = "site.json";

const FORMAT = "tesserae site 1";

/** A model of the folder: an ONNX file. */
export interface SiteModel {
  readonly id: string;
  readonly name: string;
  /** Name in the table of models. */
  readonly model: string;
  /** Where it lies, seen from the folder. */
  readonly file: string;
  readonly bytes: number;
}

/** A run of the folder, as it was when the folder was written. */
export interface SiteRun {
  readonly details: RunDetails;
  /** Where its curves lie, seen from the folder: `RunCurves` as JSON. */
  readonly curves: string;
}

/** What an exported folder holds, for its page and for the command that writes it anew. */
export interface Site {
  /** Runs models where the browser has it; else, and by default, WebAssembly does. */
  readonly device: "cpu" | "webgpu";
  readonly models: readonly SiteModel[];
  readonly runs: readonly SiteRun[];
  /** Settings that are not the same in all runs, in the order of the runs. */
  readonly differences: readonly RunDifference[];
  /** Every file of the folder, with slashes. */
  readonly files: readonly string[];
}

export const writeSite = (site: Site): string => JSON.stringify({ format: FORMAT, ...site });

/** Reads a site.json. Throws TesseraeError("io") for a file that is none. */
export function parseSite(text: string, where: string): Site {
  const refuse = (cause?: unknown) =>
    new TesseraeError("io", "is no description of an exported studio", { where, cause });
  let site: (Partial<Site> & { format?: unknown }) | null;
  try {
    site = JSON.parse(text);
  } catch (cause) {
    throw refuse(cause);
  }
  const lists = [site?.models, site?.runs, site?.differences, site?.files];
  if (site?.format !== FORMAT || !lists.every(Array.isArray)) throw refuse();
  return site as Site;
}

/** What is not the same in some of the runs, by their places in the list. */
export const differencesAmong = (differences: readonly RunDifference[], places: readonly number[]): RunDifference[] =>
  differences
    .map(({ name, values }) => ({ name, values: places.map((i) => values[i]) }))
    .filter(({ values }) => new Set(values).size > 1);
