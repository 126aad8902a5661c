import { TesseraeError } from "../../errors.ts";
import { architectureSvg } from "../../explain/architecture/index.ts";
import { type Picture, picturesFor } from "../../explain/figure.ts";
import { FIGURES, figureNames } from "../../explain/index.ts";
import { facts, figure, type Html, html, type Section, table } from "../../explain/report/page.ts";
import type { Subject } from "../../explain/subject.ts";
import type { Model } from "../../models/model.ts";
import { stageTable } from "../../models/stage-table.ts";
import { statistics } from "../../models/statistics.ts";
import { calibration, hardest, type Judgement, likelyMislabelled, mostConfused } from "../../train/judgements.ts";
import { type Chart, drawChart } from "../chart.ts";
import { confusionChart, type Judged, MOST_DRAWN } from "../class-quality.ts";
import { thumbnailAddress } from "../explain.ts";
import type { RunConfig } from "../run-config.ts";
import { DEFAULTS, settingNames } from "../settings/index.ts";
import type { OpenedData } from "../sources/open-data.ts";
import { classCounts, curves, reliability } from "./charts.ts";
import { samplePictures } from "./judged.ts";
import { drawnFigure, onePerClass } from "./set-sections.ts";

const chart = async (id: string, spec: object | undefined, caption: string): Promise<Html[]> =>
  spec ? [figure(id, await drawChart(spec as Chart), caption)] : [];

const percent = (value: number | undefined): string => (value === undefined ? "" : `${value.toFixed(2)} %`);

/** Loss, accuracy and rate by epoch. */
export async function curveSection(rows: readonly Readonly<Record<string, string>>[]): Promise<Section> {
  const loss = curves(rows, "loss", {
    train_loss: "training",
    eval_loss: "held out",
    eval_loss_ema: "held out, averaged",
  });
  const top1 = curves(rows, "top-1 (%)", { eval_top1: "held out", eval_top1_ema: "held out, averaged" });
  const lr = curves(rows, "learning rate", { lr: "learning rate" });
  const body = [
    ...(await chart("loss", loss, "Loss by epoch")),
    ...(await chart("top1", top1, "Top-1 accuracy by epoch")),
    ...(await chart("lr", lr, "Learning rate at the end of each epoch")),
  ];
  return { id: "curves", title: "Training", body: body.length > 0 ? body : [html`<p>No epoch is finished yet.</p>`] };
}

/** Accuracy, classes, confusion, calibration. */
export async function qualitySection({ metrics, confusion, judgements }: Judged): Promise<Section> {
  const reliable = calibration(judgements);
  const rows = confusion.perClass.map((c) => [
    ...[c.name, c.images, percent(c.accuracy), percent(c.precision), percent(c.f1)],
    c.mistakenFor ? `${c.mistakenFor.name} (${c.mistakenFor.images})` : "",
  ]);
  const drawn = confusion.classes.length <= MOST_DRAWN;
  return {
    id: "quality",
    title: "Quality on held-out images",
    body: [
      facts([
        ["top-1", percent(metrics.top1)],
        ["top-5", percent(metrics.top5)],
        ["loss", metrics.loss.toFixed(4)],
        ["images", metrics.count],
        ["expected calibration error", percent(100 * reliable.ece)],
      ]),
      ...(await chart(
        "confusion",
        drawn ? confusionChart(confusion) : undefined,
        "Confusion matrix: rows are true classes, columns the model's answers",
      )),
      ...(await chart(
        "calibration",
        reliability(reliable),
        `Calibration: bars on the dashed line would be right as often as they are sure; expected error ${percent(100 * reliable.ece)}`,
      )),
      table(["class", "images", "recall", "precision", "F1", "most taken for"], rows, "By class"),
    ],
  };
}

/** Pixels a side of an image in a gallery. */
const THUMBNAIL = 148;

/** Pairs of classes that are shown, and images of each. */
const PAIRS = 3;
const OF_A_PAIR = 4;

/** Images that deserve a look. */
export async function imageSection(
  subject: Subject,
  judged: Judged,
  data: OpenedData,
  spec: RunConfig["spec"],
): Promise<Section> {
  const name = (k: number) => subject.classes[k] ?? String(k);
  const said = ({ label, guess, confidence, own }: Judgement): string =>
    guess === label
      ? `${name(label)}, ${percent(100 * own)}`
      : `${name(label)}: ${percent(100 * own)}; taken for ${name(guess)}: ${percent(100 * confidence)}`;
  const part = async (title: string, list: readonly Judgement[], what: string): Promise<Html[]> =>
    list.length === 0
      ? []
      : [
          html`<h3>${title}</h3><p>${what}</p>`,
          await gallery(await samplePictures(spec, data.val, list), list.map(said)),
        ];
  const { judgements } = judged;
  const confused = mostConfused(judgements, PAIRS);
  const pairs = confused.map((p) => `${name(p.label)} for ${name(p.guess)} (${p.images.length})`);
  const body = [
    ...(await part(
      "Hardest",
      hardest(judgements, 12),
      "Held-out images whose own class the model finds least likely.",
    )),
    ...(await part(
      "Most confused",
      confused.flatMap((p) => p.images.slice(0, OF_A_PAIR)),
      `Classes taken for others most often: ${pairs.join(", ")}.`,
    )),
    ...(await part(
      "Likely mislabelled",
      likelyMislabelled(judgements, 12),
      "The model gives another class at least the probability that images of that class have: look at their labels first.",
    )),
  ];
  return { id: "images", title: "Images to look at", body };
}

/** Thumbnails with a line of text each. */
async function gallery(pictures: readonly Picture[], lines: readonly string[]): Promise<Html> {
  const items = await Promise.all(
    pictures.map(
      async ({ name, pixels }, i) =>
        html`<li><img src="${await thumbnailAddress(pixels, THUMBNAIL)}" alt="${`${name}: ${lines[i]}`}">${name}<br>${lines[i]}</li>`,
    ),
  );
  return html`<ul class="images">${items}</ul>`;
}

/** Figures that cost little: those of a report at the end of a run. */
const QUICK = ["attention", "rollout", "gradcam", "filters", "positions", "kernels"];

export interface Explained {
  /** Images to explain one by one. */
  readonly pictures: readonly Picture[];
  /** Images for figures that average over many; without them those take the others. */
  readonly set?: readonly Picture[];
  readonly quick?: boolean;
}

/** Every figure of single images and of weights that the model allows. */
export async function explanationSection(
  subject: Subject,
  { pictures, set, quick }: Explained,
  seed: number,
): Promise<Section> {
  const body: Html[] = [];
  for (const name of quick ? QUICK : figureNames) {
    const { images, set: ofSets, most } = FIGURES[name];
    if (ofSets || (images && pictures.length === 0)) continue;
    const shown = set && most !== undefined ? picturesFor(FIGURES[name], set) : pictures;
    body.push(...(await drawnFigure(name, subject, shown, seed)));
  }
  return { id: "explanations", title: "What it looks at, and what it learned", body };
}

/** What it was trained on. */
export async function dataSection(config: RunConfig, data: OpenedData | undefined, missing?: string): Promise<Section> {
  const counts = data && countsOf(data);
  const shown = counts && counts.length <= 2 * MOST_DRAWN ? classCounts(counts) : undefined;
  return {
    id: "data",
    title: "Data",
    body: [
      facts([
        ["place", config.data],
        ["kind", config.dataset],
        ["training images", config.images?.train],
        ["held-out images", config.images?.val],
        ["classes", config.spec.classes.length],
        ["fingerprint of training images", config.fingerprint?.train],
        ["fingerprint of held-out images", config.fingerprint?.val],
      ]),
      ...(missing === undefined ? [] : [html`<p>The images could not be opened for this report: ${missing}</p>`]),
      ...(await chart("classes", shown, "Images by class")),
      ...(data ? await trainingImages(config.spec, data) : []),
    ],
  };
}

/** Training images that are shown. */
const SHOWN = 12;

/** A training image of some classes, as the model sees it without augmentation. */
async function trainingImages(spec: RunConfig["spec"], { train }: OpenedData): Promise<Html[]> {
  const pictures: Picture[] = [];
  for (const chosen of onePerClass(train, SHOWN)) {
    // A file that cannot be read has been named in training.
    const found = await samplePictures(spec, train, [chosen]).catch((error) => {
      if (error instanceof TesseraeError && error.code === "data") return [];
      throw error;
    });
    pictures.push(...found);
  }
  if (pictures.length === 0) return [];
  const lines = pictures.map((p) => train.classes[p.target] ?? String(p.target));
  return [html`<h3>Training images</h3>`, await gallery(pictures, lines)];
}

function countsOf({ train, val }: OpenedData) {
  const of = (part: string, { classes, samples }: OpenedData["train"]) => {
    const counts = Array<number>(classes.length).fill(0);
    for (const { label } of samples) counts[label]++;
    return classes.map((name, c) => ({ name, part, images: counts[c] }));
  };
  return [...of("training", train), ...of("held out", val)];
}

/** The model, its recipe and where it was trained. */
export function modelSection(model: Model, config: RunConfig): Section {
  const { parameters, gmacs, activations } = statistics(model);
  const rows = stageTable(model).map((r) => [
    r.stage,
    r.output.join(" × "),
    r.depth,
    r.heads,
    r.parameters,
    r.gmacs.toFixed(3),
  ]);
  // A run of an earlier version lacks settings that came after it.
  const changed = settingNames.filter(
    (n) => n in config.settings && JSON.stringify(config.settings[n]) !== JSON.stringify(DEFAULTS[n]),
  );
  const shown = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return {
    id: "model",
    title: "Model and recipe",
    body: [
      facts([
        ["model", model.name],
        ["paper", model.paper],
        ["parameters", parameters.toLocaleString("en")],
        ["GMACs of an image", gmacs.toFixed(3)],
        ["activations of an image, millions", activations.toFixed(2)],
        ["image", model.inputShape.join(" × ")],
        ["licence of the first weights", config.spec.license],
      ]),
      figure("architecture", architectureSvg(model), `Block diagram of ${model.name}`),
      table(["stage", "output", "depth", "heads", "parameters", "GMACs"], rows, "Stages"),
      table(
        ["setting", "value"],
        changed.map((n) => [n, shown(config.settings[n])]),
        "Settings that are not the default",
      ),
      facts([
        ["command", `tesserae ${config.command.join(" ")}`],
        ["seed", config.settings.seed],
        ...Object.entries(config.versions ?? {}).map(([name, version]) => [name, String(version)] as const),
        [
          "machine",
          config.host &&
            `${config.machine.processor}, ${config.host.processors} processors, ${config.host.platform} ${config.host.arch}`,
        ],
        ["commit", config.git && `${config.git.commit}${config.git.changed ? ", with changes" : ""}`],
      ]),
    ],
  };
}
