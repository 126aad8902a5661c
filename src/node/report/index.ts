import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { CORRUPTIONS } from "../../data/corrupt/index.ts";
import { TesseraeError } from "../../errors.ts";
import { page, type Section } from "../../explain/report/page.ts";
import type { Subject } from "../../explain/subject.ts";
import { modelOf } from "../../models/spec.ts";
import type { Backend } from "../../runtime/backend.ts";
import { writeFileAtomic } from "../atomic-write.ts";
import type { Judged } from "../class-quality.ts";
import { picturesOfSet, subjectOf } from "../explain.ts";
import { errorCode, ioError } from "../file-system.ts";
import { openTrained, type TrainedModel } from "../model-files.ts";
import { readSummary } from "../record/summary.ts";
import { measureRobustness } from "../robustness.ts";
import { isRunConfig, type RunConfig } from "../run-config.ts";
import { CONFIG_FILE } from "../run-folder.ts";
import { type OpenedData, openData } from "../sources/open-data.ts";
import { modelCard } from "./card.ts";
import { examples, judge, samplePictures } from "./judged.ts";
import * as sections from "./sections.ts";
import { affordable, robustnessSection, setSection } from "./set-sections.ts";

export const REPORT_FILE = "report.html";
export const CARD_FILE = "README.md";

export interface ReportOptions {
  /** Where the images lie now, if not where config.json says. */
  readonly data?: string;
  /** Leave out what takes many runs of the model, as at the end of training. */
  readonly quick?: boolean;
  /** Held-out images at most in figures of many. Default 128. */
  readonly limit?: number;
  readonly onProgress?: (what: string, done: number, total: number) => void;
}

const LIMIT = 128;

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

/** What a report is made of. */
interface Material {
  readonly config: RunConfig;
  readonly trained: TrainedModel;
  /** The run's images, or why there are none. */
  readonly images: OpenedData | string;
  readonly judged?: Judged;
  readonly options: ReportOptions;
}

/**
 * Writes report.html and README.md (the Hub's model card) into a run's folder: curves, quality, images to look at,
 * explanations, data and model. Without its images, what needs them is left out and a note says why. Throws TesseraeError.
 */
export async function writeReport(run: string, backend: Backend, options: ReportOptions = {}): Promise<Report> {
  const config = await readConfig(run);
  const trained = await openTrained(run);
  const images = await openImages(config, options.data);
  const onBatch = (done: number, total: number) => options.onProgress?.("evaluating", done, total);
  const held = typeof images === "string" || images.val.samples.length === 0 ? undefined : images.val;
  const judged = held && (await judge(trained, held, backend, onBatch));
  return compose(run, { config, trained, images, judged, options }, backend);
}

/** The same at the end of a run, of what is at hand and without what takes long. Throws TesseraeError. */
export async function writeRunReport(
  run: string,
  { trained, data, judged }: { readonly trained: TrainedModel; readonly data: OpenedData; readonly judged?: Judged },
  backend: Backend,
): Promise<Report> {
  const config = await readConfig(run);
  return compose(run, { config, trained, images: data, judged, options: { quick: true } }, backend);
}

async function compose(run: string, material: Material, backend: Backend): Promise<Report> {
  const { config, trained, images, judged } = material;
  const missing = typeof images === "string" ? images : undefined;
  const data = typeof images === "string" ? undefined : images;
  const subject = await subjectOf(trained, backend);
  try {
    const name = basename(resolve(run));
    const model = modelOf(trained.spec);
    const parts = [
      await sections.curveSection(await readSummary(run)),
      ...(judged ? [await sections.qualitySection(judged)] : []),
      ...(judged && data ? [await sections.imageSection(subject, judged, data, trained.spec)] : []),
      ...(await explained(subject, material, backend)),
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

/** Sections that explain the model. */
async function explained(
  subject: Subject,
  { config, trained, images, judged, options: { quick, limit = LIMIT, onProgress } }: Material,
  backend: Backend,
): Promise<Section[]> {
  const { seed } = config.settings;
  if (!judged || typeof images === "string")
    return [await sections.explanationSection(subject, { pictures: [], quick }, seed)];
  const pictures = await samplePictures(trained.spec, images.val, examples(judged.judgements));
  if (quick) return [await sections.explanationSection(subject, { pictures, quick }, seed)];
  const { pictures: set } = await picturesOfSet(subject, trained.spec, images.val, { limit });
  const parts = [
    await sections.explanationSection(subject, { pictures, set }, seed),
    await setSection(subject, set, seed),
  ];
  // Pixels in another order have no corruption that means anything.
  if (trained.spec.preprocessing.permute_pixels !== undefined) return parts;
  const robustness = await measureRobustness(trained, images.val, backend, {
    seed,
    limit: affordable(subject, TRIALS, Math.min(limit, MOST_CORRUPTED)),
    onProgress: (done, total) => onProgress?.("corruptions", done, total),
  });
  return [...parts, await robustnessSection(robustness)];
}

/** Images that are corrupted, and how often each is. */
const MOST_CORRUPTED = 64;
const TRIALS = Object.values(CORRUPTIONS).reduce((sum, { levels }) => sum + levels.length, 0);
