import type { ImageDataset } from "../../data/dataset.ts";
import { TesseraeError } from "../../errors.ts";
import type { Drawing } from "../../explain/drawing.ts";
import { evenly, type Picture, picturesFor } from "../../explain/figure.ts";
import { FIGURES } from "../../explain/index.ts";
import { figure, type Html, html, type Section, table } from "../../explain/report/page.ts";
import { meanByCorruption, type Robustness, robustnessDrawing } from "../../explain/robustness.ts";
import type { Subject } from "../../explain/subject.ts";
import { statistics } from "../../models/statistics.ts";
import { drawingSvg } from "../explain.ts";

/** A drawing as a figure of the page. */
export const drawn = async (id: string, drawing: Drawing, source: string): Promise<Html> =>
  figure(id, await drawingSvg(drawing), `${drawing.caption} (${source})`);

/** A figure of the table; nothing where the model does not allow it. */
export async function drawnFigure(
  name: string,
  subject: Subject,
  pictures: readonly Picture[],
  seed: number,
): Promise<Html[]> {
  try {
    const drawing = await FIGURES[name].draw({ ...subject, pictures, seed });
    return [await drawn(`figure-${name.replace(/\W/g, "x")}`, drawing, FIGURES[name].source)];
  } catch (error) {
    if (!(error instanceof TesseraeError && error.code === "model")) throw error;
    return [];
  }
}

/** Multiply-accumulates, in 10^9, that a figure of many runs may take. */
const WORK = 5000;

/** As many images as that allows where each is seen `times` times: 8 at least, `most` at most. */
export function affordable(subject: Subject, times: number, most: number): number {
  const { gmacs } = statistics(subject.model);
  return Math.min(most, Math.max(8, Math.floor(WORK / (times * Math.max(gmacs, 1e-6)))));
}

/** Points of the loss landscape, each of which sees all of its images. */
const LANDSCAPE = 142;

/** The held-out images together: where the features place them, what lies near, and the loss around the model. */
export async function setSection(subject: Subject, pictures: readonly Picture[], seed: number): Promise<Section> {
  const most = FIGURES["loss-landscape"].most ?? pictures.length;
  const some = evenly(pictures, affordable(subject, LANDSCAPE, most));
  const of = (name: string) => drawnFigure(name, subject, picturesFor(FIGURES[name], pictures), seed);
  const body = [
    ...(await of("embedding-map")),
    ...(await of("neighbours")),
    ...(await drawnFigure("loss-landscape", subject, some, seed)),
  ];
  return {
    id: "set",
    title: "The held-out images together",
    body: body.length > 0 ? body : [html`<p>The model has no features of images to compare.</p>`],
  };
}

/** Accuracy on images that are made worse. */
export async function robustnessSection(robustness: Robustness): Promise<Section> {
  const source =
    "after Hendrycks and Dietterich 2019; patches dropped and shuffled as in Naseer et al. 2021; what differs: docs/robustness.md";
  const most = Math.max(...robustness.corrupted.map((c) => c.severity));
  const severities = Array.from({ length: most }, (_, i) => i + 1);
  const rows = [...meanByCorruption(robustness)].map(([name, mean]) => [
    name.replaceAll("_", " "),
    ...severities.map((s) =>
      robustness.corrupted.find((c) => c.corruption === name && c.severity === s)?.top1.toFixed(1),
    ),
    mean.toFixed(1),
  ]);
  return {
    id: "robustness",
    title: "Images made worse",
    body: [
      await drawn("robustness-chart", robustnessDrawing(robustness), source),
      table(
        ["corruption", ...severities.map((s) => `severity ${s}`), "mean"],
        rows,
        `Top-1 in percent; ${robustness.clean.top1.toFixed(1)} on the images as they are`,
      ),
    ],
  };
}

/** At most `count` training images, each of another class. */
export function onePerClass({ classes, samples }: ImageDataset, count: number): { index: number; guess: number }[] {
  const first = new Map<number, number>();
  for (const [index, { label }] of samples.entries()) {
    if (!first.has(label)) first.set(label, index);
    if (first.size === classes.length) break;
  }
  return evenly(
    [...first].sort(([a], [b]) => a - b),
    count,
  ).map(([guess, index]) => ({ index, guess }));
}
