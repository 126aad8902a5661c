import type { Size } from "../../nn/size.ts";
import { table } from "../report/page.ts";
import { type LectureContext, type Shown, type Step, step } from "./lecture.ts";
import {
  amountPanel,
  cut,
  everyOf,
  flattened,
  gridded,
  line,
  type Patch,
  plane,
  softmax,
  stripPanel,
} from "./parts.ts";
import { type Common, WORDS } from "./words.ts";

/** What a family knows beyond the model itself. */
export interface Knows extends Partial<Patch> {
  readonly dim?: number;
  readonly pooled?: Common["pooled"];
}

/** Numbers that common sentences name. */
export function commonOf({ subject: { model, classes } }: LectureContext, logits: Float32Array, knows: Knows): Common {
  const { grid = [1, 1], patchSize = [1, 1], patch = 0, dim = 0, pooled = "mean" } = knows;
  const [channels, height, width] = model.inputShape;
  const best = logits.indexOf(Math.max(...logits));
  const matrices = model.slots.filter((s) => s.slot === "parameter" && s.shape.length === 2);
  return {
    ...{ height, width, channels, patch, dim, pooled },
    rows: grid[0],
    columns: grid[1],
    patchHeight: patchSize[0],
    patchWidth: patchSize[1],
    features: model.numClasses > 0 ? (matrices.at(-1)?.shape[1] ?? 0) : logits.length,
    classes: logits.length,
    best: classes[best] ?? String(best),
  };
}

/** The image as the model sees it. */
export function imageStep({ picture: { pixels }, language }: LectureContext, told: Common): Step {
  return step(WORDS[language].steps, "image", told, { panels: [{ image: pixels, sharp: pixels.width < 100 }] });
}

/** The image, its patches, one of them as numbers, and these projected to `projected`. */
export function patchSteps(context: LectureContext, of: Patch, projected: Float32Array, told: Common): Step[] {
  const { picture, language, subject } = context;
  const { steps, labels } = WORDS[language];
  const patch = cut(picture.pixels, of);
  const planes = [labels.red, labels.green, labels.blue].map((title, c) => ({
    title,
    image: plane(patch, c),
    sharp: true,
  }));
  return [
    imageStep(context, told),
    step(steps, "patches", told, { panels: [{ image: gridded(picture, of) }], width: 336 }),
    step(steps, "flatten", told, {
      panels: [{ image: patch, sharp: true }, ...planes],
      width: 112,
      details: [line("x", flattened(picture, of, subject.model.inputShape))],
    }),
    step(steps, "project", told, {
      panels: [stripPanel(`D = ${told.dim}`, projected)],
      width: 480,
      details: [line("x E", projected)],
    }),
  ];
}

/** Classes of the table. */
const TOP = 5;

/** The answer, or the features of a model without a classifier. */
export function answerStep(
  { language, subject: { model, classes } }: LectureContext,
  logits: Float32Array,
  told: Common,
): Step {
  const { steps, labels } = WORDS[language];
  if (model.numClasses === 0)
    return step(steps, "noLogits", told, {
      panels: [stripPanel(String(logits.length), logits)],
      width: 480,
      details: [line("z", logits)],
    });
  const p = softmax(logits);
  const top = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, TOP);
  const rows = top.map((k) => [classes[k] ?? String(k), logits[k].toFixed(3), `${(100 * p[k]).toFixed(2)} %`]);
  return step(steps, "logits", told, { details: [table([labels.class, "logit", labels.probability], rows, "")] });
}

/** The middle of a grid. */
export const middleOf = ([rows, columns]: Size): number => (rows >> 1) * columns + (columns >> 1);

/** Most layers drawn. */
export const MOST_LAYERS = 12;

/** Layer by layer, a place's vector and its cosine with every place's. */
export const layersShown = (
  layers: readonly { readonly vector: Float32Array; readonly alike: Float32Array }[],
  grid: Size,
  words: { readonly layer: string },
): Shown => ({
  panels: everyOf(layers.length, MOST_LAYERS).flatMap((i) => [
    stripPanel(`${words.layer} ${i + 1}`, layers[i].vector, 32),
    amountPanel("cos", layers[i].alike, grid),
  ]),
  width: 112,
  columns: 8,
});

/** A residual stream: a vector, what attention and MLP add to it, and their sum. */
export const streamShown = (
  of: Readonly<Record<"entered" | "attended" | "mixed" | "out", Float32Array>>,
  words: { readonly before: string; readonly after: string },
): Shown => ({
  panels: [
    stripPanel(words.before, of.entered),
    stripPanel("+", of.attended),
    stripPanel("+ MLP", of.mixed),
    stripPanel(words.after, of.out),
  ],
  details: [line("x", of.entered), line("+", of.attended), line("+ MLP", of.mixed), line("=", of.out)],
});
