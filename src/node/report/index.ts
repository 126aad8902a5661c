import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { page } from "../../explain/report/page.ts";
import { modelOf } from "../../models/spec.ts";
import type { Backend } from "../../runtime/backend.ts";
import { writeFileAtomic } from "../atomic-write.ts";
import { subjectOf } from "../explain.ts";
import { errorCode, ioError } from "../file-system.ts";
import { openTrained } from "../model-files.ts";
import { readSummary } from "../record/summary.ts";
import { isRunConfig, type RunConfig } from "../run-config.ts";
import { CONFIG_FILE } from "../run-folder.ts";
import { type OpenedData, openData } from "../sources/open-data.ts";
import { modelCard } from "./card.ts";
import { examples, judge, samplePictures } from "./judged.ts";
import * as sections from "./sections.ts";

export const REPORT_FILE = "report.html";
export const CARD_FILE = "README.md";

export interface ReportOptions {
  /** Where the images lie now, if not where config.json says. */
  readonly data?: string;
  readonly onBatch?: (done: number, total: number) => void;
}

export interface Report {
  /** The page, which stands alone. */
  readonly page: string;
  /** The model card. */
  readonly card: string;
  /** Why something is missing from it. */
  readonly notes: readonly string[];
}

async function readConfig(run: string): Promise<RunConfig> {
  const path = join(run, CONFIG_FILE);
  const text = await readFile(path, "utf8").catch((error) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR")
      throw new TesseraeError("usage", "is no run folder: it has no config.json", { where: run });
    throw ioError("cannot read the run's settings", error, { where: path });
  });
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw new TesseraeError("usage", "is not JSON", { where: path });
  }
  if (typeof config !== "object" || config === null || !isRunConfig(config))
    throw new TesseraeError("usage", "is not a run's config.json", { where: path });
  return config as RunConfig;
}

/** The run's images, or why they cannot be opened. */
async function openImages(config: RunConfig, place = config.data): Promise<OpenedData | string> {
  try {
    return await openData(place, config.settings);
  } catch (error) {
    if (error instanceof TesseraeError) return error.message;
    throw error;
  }
}

/**
 * Writes report.html and README.md (the Hub's model card) into a run's folder: curves, quality, images to look at,
 * explanations, data and model. Without its images, what needs them is left out and a note says why. Throws TesseraeError.
 */
export async function writeReport(run: string, backend: Backend, options: ReportOptions = {}): Promise<Report> {
  const config = await readConfig(run);
  const trained = await openTrained(run);
  const images = await openImages(config, options.data);
  const missing = typeof images === "string" ? images : undefined;
  const data = typeof images === "string" ? undefined : images;
  const judged =
    data && data.val.samples.length > 0 ? await judge(trained, data.val, backend, options.onBatch) : undefined;
  const subject = await subjectOf(trained, backend);
  try {
    const pictures = judged && data ? await samplePictures(trained.spec, data.val, examples(judged.judgements)) : [];
    const name = basename(resolve(run));
    const model = modelOf(trained.spec);
    const parts = [
      await sections.curveSection(await readSummary(run)),
      ...(judged ? [await sections.qualitySection(judged)] : []),
      ...(judged && data ? [await sections.imageSection(subject, judged, data, trained.spec)] : []),
      await sections.explanationSection(subject, pictures, config.settings.seed),
      await sections.dataSection(config, data, missing),
      sections.modelSection(model, config),
    ];
    const lead = judged
      ? `${model.name}: top-1 ${judged.metrics.top1.toFixed(2)} % on ${judged.metrics.count} held-out images of ${config.spec.classes.length} classes.`
      : `${model.name}, ${config.spec.classes.length} classes.`;
    const files = { page: join(run, REPORT_FILE), card: join(run, CARD_FILE) };
    await writeFileAtomic(files.page, page(name, lead, parts));
    await writeFileAtomic(files.card, modelCard(name, config, judged?.metrics));
    return { ...files, notes: missing === undefined ? [] : [`without the images: ${missing}`] };
  } finally {
    await subject.state.dispose();
  }
}
