import type { PixelImage } from "../../data/image.ts";
import type { Drawing } from "../drawing.ts";
import { lacks, type Picture } from "../figure.ts";
import { figure, type Html, html, page, type Section, table } from "../report/page.ts";
import type { Subject } from "../subject.ts";
import { linesHtml } from "./lines.ts";
import { type Observation, observe } from "./observe.ts";
import { drawings, scoresOf, softmax, weightedSum } from "./pictures.ts";
import { type Language, STEPS, type StepName, type Told, WORDS, type Words } from "./text.ts";

export interface WalkOptions {
  readonly language?: Language;
  /** The patch that is followed, from 0; absent: the one that the class token asks most in the end. */
  readonly patch?: number;
  /** Whether the weights are fresh, which the page then says. */
  readonly fresh?: boolean;
  /** Draws. */
  readonly toSvg: (drawing: Drawing) => Promise<string>;
  readonly toAddress: (image: PixelImage) => Promise<string>;
}

/** Numbers of a row that a page shows. */
const SHOWN = 12;

const numbers = (values: ArrayLike<number>): string => {
  const list = Array.from({ length: Math.min(SHOWN, values.length) }, (_, i) => values[i].toFixed(3));
  return `[${list.join(", ")}${values.length > SHOWN ? ", …" : ""}]`;
};

/** The lecture as a page that stands alone: one image through a Vision Transformer, step by step. Throws TesseraeError("model" | "usage"). */
export async function walk(subject: Subject, picture: Picture, options: WalkOptions): Promise<string> {
  const { model } = subject;
  const words = WORDS[options.language ?? "en"];
  const places = options.patch;
  const o = await observe(subject, picture, places);
  if (o.patch < 0 || o.patch >= o.grid[0] * o.grid[1])
    throw lacks(model, `${o.grid[0] * o.grid[1]} patches here, from 0: there is no patch ${o.patch}`);
  const told = toldOf(subject, o);
  const drawn = drawings(picture, o, words);
  const sections: Section[] = [];
  for (const [i, name] of STEPS.entries()) {
    const { title, text } = words.steps[name];
    const drawing = drawn[name];
    const body = [
      html`<p>${text(told)}</p>`,
      ...(drawing ? [figure(`step-${name}`, await options.toSvg(drawing), title)] : []),
      ...details(name, picture, o, subject, words),
      ...(name === "lines" ? [linesHtml(o, await options.toAddress(picture.pixels), words)] : []),
    ];
    sections.push({ id: name, title: `${i + 1}. ${title}`, body });
  }
  const lead = `${words.lead(model.name, picture.name)}${options.fresh ? ` ${words.fresh}` : ""}`;
  return page(model.name, lead, sections, options.language ?? "en");
}

function toldOf({ model, classes }: Subject, o: Observation): Told {
  const hidden = model.slots.find((s) => /\.mlp\.fc1\.weight$/.test(s.name))?.shape[0] ?? 0;
  const best = o.logits.indexOf(Math.max(...o.logits));
  return {
    height: model.inputShape[1],
    width: model.inputShape[2],
    rows: o.grid[0],
    columns: o.grid[1],
    patchHeight: o.patchSize[0],
    patchWidth: o.patchSize[1],
    channels: model.inputShape[0],
    dim: o.dim,
    heads: o.heads,
    headDim: o.q.length,
    layers: o.layers.length,
    prefix: o.prefix,
    patch: o.patch,
    hidden,
    classes: o.logits.length,
    best: classes[best] ?? String(best),
  };
}

/** The pixels of the patch as the model gets them, colour by colour. */
function flattened({ input }: Picture, o: Observation, [channels, height, width]: readonly number[]): Float32Array {
  const [h, w] = o.patchSize;
  const [top, left] = [Math.floor(o.patch / o.grid[1]) * h, (o.patch % o.grid[1]) * w];
  const out = new Float32Array(channels * h * w);
  for (let c = 0, i = 0; c < channels; c++)
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) out[i++] = input[(c * height + top + y) * width + left + x];
  return out;
}

/** The numbers of a step. */
function details(name: StepName, picture: Picture, o: Observation, subject: Subject, { labels }: Words): Html[] {
  const line = (label: string, values: ArrayLike<number>) =>
    html`<p><b>${label}</b> <code>${numbers(values)}</code></p>`;
  const shares = () => softmax(scoresOf(o).map((s) => s / Math.sqrt(o.q.length)));
  const own = (values: Float32Array) =>
    values.subarray((o.prefix + o.patch) * o.q.length, (o.prefix + o.patch + 1) * o.q.length);
  if (name === "flatten") return [line("x", flattened(picture, o, subject.model.inputShape))];
  if (name === "project") return [line("x E", o.projected)];
  if (name === "position") return [line(labels.position, o.positions.subarray(o.patch * o.dim, (o.patch + 1) * o.dim))];
  if (name === "qkv") return [line("q", o.q), line("k", own(o.k)), line("v", own(o.v))];
  if (name === "scores")
    return [
      line("q · k", scoresOf(o)),
      line(`softmax, ${labels.divided}`, shares()),
      line(`softmax, ${labels.undivided}`, softmax(scoresOf(o))),
    ];
  if (name === "values") return [line("Σ", weightedSum(shares(), o.v))];
  if (name !== "logits") return [];
  const p = softmax(o.logits);
  const top = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 5);
  const rows = top.map((k) => [
    subject.classes[k] ?? String(k),
    o.logits[k].toFixed(3),
    `${(100 * p[k]).toFixed(2)} %`,
  ]);
  return [table([labels.class, "logit", labels.probability], rows, "")];
}
