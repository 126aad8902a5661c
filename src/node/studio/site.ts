import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { TesseraeError } from "../../errors.ts";
import type { RunDetails } from "../../studio/run.ts";
import { parseSite, SITE_FILE, type Site, type SiteModel, type SiteRun, writeSite } from "../../studio/site.ts";
import { toOnnx, withWeights } from "../export-file.ts";
import type { TrainedModel } from "../model-files.ts";
import { writeWholeFolder } from "../whole-folder.ts";
import { CurveTail } from "./curves.ts";
import { checkRoots, findRuns, type Place } from "./folders.ts";
import { freshId, type NamedModel, openRun } from "./models.ts";
import { publicDetails, publicDifferences } from "./public.ts";
import { RunReader } from "./runs.ts";
import { copyPage, copyRuntime } from "./site-page.ts";

export interface SiteOptions {
  /** Run folders, and folders of run folders: their curves, and their models where they have any. */
  readonly runs: readonly string[];
  readonly models: readonly NamedModel[];
  /** Default "cpu": WebAssembly. */
  readonly device?: Site["device"];
}

/**
 * Writes a folder that any web host can serve: the studio's page, runs as they are now, and models that run in the browser.
 * The folder is there whole or not at all; an earlier export gives way, anything else is refused. Throws
 * TesseraeError("usage" | "io" | "weights").
 */
export async function exportSite(folder: string, options: SiteOptions): Promise<Site> {
  const roots = await checkRoots(options.runs);
  const places = [...(await findRuns(roots)).values()];
  if (places.length + options.models.length === 0)
    throw new TesseraeError("usage", "there is nothing to export: no run and no model", {
      hint: "Name one with --model",
    });
  let site: Site | undefined;
  const fill = async (at: string): Promise<void> => {
    site = await fillSite(at, places, options);
  };
  await writeWholeFolder(folder, fill, { replaceable: filesOfSite });
  return site as Site;
}

/** The files of an earlier export; undefined for another folder. */
async function filesOfSite(folder: string): Promise<readonly string[] | undefined> {
  const text = await readFile(join(folder, SITE_FILE), "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : parseSite(text, folder).files;
  } catch {
    return undefined;
  }
}

async function fillSite(
  folder: string,
  places: readonly Place[],
  { models, device = "cpu" }: SiteOptions,
): Promise<Site> {
  await copyPage(folder);
  await copyRuntime(join(folder, "ort"), device);
  for (const name of ["models", "runs"]) await mkdir(join(folder, name));
  const reader = new RunReader();
  const entries = await reader.entries(places);
  const known = new Map(places.map((place) => [place.id, place]));
  const found = entries.map(({ id }) => known.get(id) as Place);
  const runs: SiteRun[] = [];
  for (const place of found) runs.push(await writeRun(folder, place, (await reader.details(place)) as RunDetails));
  const written: SiteModel[] = [];
  for (const [i, { hasModel }] of entries.entries())
    if (hasModel) written.push(await writeModel(folder, found[i], await openRun(found[i])));
  for (const { name, trained } of models)
    written.push(await writeModel(folder, { id: freshId(name, written), name }, trained));
  const differences = publicDifferences(await reader.differences(found));
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join("/"),
    );
  const site: Site = { device, models: written, runs, differences, files: [...files, SITE_FILE].sort() };
  await writeFile(join(folder, SITE_FILE), writeSite(site));
  return site;
}

/** A file name for an id, which may hold anything: what an address would not hold as it is, is written by its code. */
const fileNameOf = (id: string): string =>
  id.replace(/[^A-Za-z0-9._-]/g, (c) => `~${c.charCodeAt(0).toString(16)}`).replace(/^\./, "~2e");

async function writeRun(folder: string, place: Place, details: RunDetails): Promise<SiteRun> {
  const curves = `runs/${fileNameOf(place.id)}.json`;
  await writeFile(join(folder, curves), JSON.stringify(await new CurveTail(place).next()));
  return { details: publicDetails(details), curves };
}

async function writeModel(
  folder: string,
  { id, name }: Pick<Place, "id" | "name">,
  trained: TrainedModel,
): Promise<SiteModel> {
  const { model, external } = toOnnx(withWeights(trained), {}, "weights");
  if (external)
    throw new TesseraeError("usage", "is too large for a page: its weights do not fit into one file", { where: name });
  const file = `models/${fileNameOf(id)}.onnx`;
  await writeFile(join(folder, file), model);
  return { id, name, model: trained.spec.name, file, bytes: (await stat(join(folder, file))).size };
}
