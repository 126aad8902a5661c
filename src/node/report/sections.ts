import { TesseraeError } from "../../errors.ts";
import { architectureSvg } from "../../explain/architecture/index.ts";
import type { Picture } from "../../explain/figure.ts";
import { FIGURES, figureNames } from "../../explain/index.ts";
import { facts, figure, type Html, html, type Section, table } from "../../explain/report/page.ts";
import type { Subject } from "../../explain/subject.ts";
import type { Model } from "../../models/model.ts";
import { stageTable } from "../../models/stage-table.ts";
import { statistics } from "../../models/statistics.ts";
import { calibration, hardest, type Judgement, likelyMislabelled } from "../../train/judgements.ts";
import { type Chart, drawChart } from "../chart.ts";
import { confusionChart, MOST_DRAWN } from "../class-quality.ts";
import { drawingSvg, thumbnailAddress } from "../explain.ts";
import type { RunConfig } from "../run-config.ts";
import { DEFAULTS, settingNames } from "../settings/index.ts";
import type { OpenedData } from "../sources/open-data.ts";
import { classCounts, curves, reliability } from "./charts.ts";
import { type Judged, samplePictures } from "./judged.ts";

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
      table(["class", "images", "accuracy", "precision", "F1", "most taken for"], rows, "By class"),
    ],
  };
}

/** Pixels a side of an image in a gallery. */
const THUMBNAIL = 148;

/** Images that deserve a look. */
export async function imageSection(
  subject: Subject,
  judged: Judged,
  data: OpenedData,
  spec: RunConfig["spec"],
): Promise<Section> {
  const name = (k: number) => subject.classes[k] ?? String(k);
  const gallery = async (title: string, list: readonly Judgement[], what: string): Promise<Html[]> => {
    if (list.length === 0) return [];
    const pictures = await samplePictures(spec, data.val, list);
    const items = await Promise.all(pictures.map((p, i) => item(p, list[i])));
    return [html`<h3>${title}</h3><p>${what}</p><ul class="images">${items}</ul>`];
  };
  const item = async (picture: Picture, { label, guess, confidence, own }: Judgement): Promise<Html> => {
    const said =
      guess === label
        ? `${name(label)}, ${percent(100 * own)}`
        : `${name(label)}: ${percent(100 * own)}; taken for ${name(guess)}: ${percent(100 * confidence)}`;
    return html`<li><img src="${await thumbnailAddress(picture.pixels, THUMBNAIL)}" alt="${`${picture.name}: ${said}`}">${picture.name}<br>${said}</li>`;
  };
  const body = [
    ...(await gallery(
      "Hardest",
      hardest(judged.judgements, 12),
      "Held-out images whose own class the model finds least likely.",
    )),
    ...(await gallery(
      "Likely mislabelled",
      likelyMislabelled(judged.judgements, 12),
      "The model gives another class at least the probability that images of that class have: look at their labels first.",
    )),
  ];
  return { id: "images", title: "Images to look at", body };
}

/** Every figure that the model allows. */
export async function explanationSection(
  subject: Subject,
  pictures: readonly Picture[],
  seed: number,
): Promise<Section> {
  const body: Html[] = [];
  for (const name of figureNames) {
    if (FIGURES[name].set || (FIGURES[name].images && pictures.length === 0)) continue;
    try {
      const drawing = await FIGURES[name].draw({ ...subject, pictures, seed });
      const id = `figure-${name.replace(/\W/g, "x")}`;
      body.push(figure(id, await drawingSvg(drawing), `${drawing.caption} (${FIGURES[name].source})`));
    } catch (error) {
      if (!(error instanceof TesseraeError && error.code === "model")) throw error;
    }
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
    ],
  };
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
  const changed = settingNames.filter((n) => JSON.stringify(config.settings[n]) !== JSON.stringify(DEFAULTS[n]));
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
