import type { Model } from "../../../models/model.ts";
import { overlay } from "../../color.ts";
import { lacks } from "../../figure.ts";
import { answerStep, commonOf, MOST_LAYERS, patchSteps } from "../common.ts";
import { fieldStep } from "../field.ts";
import type { Lecture, LectureContext, Shown, Step } from "../lecture.ts";
import { steps } from "../lecture.ts";
import { linesHtml } from "../lines.ts";
import { amountPanel, cosines, everyOf, line, scoresOf, softmax, stripPanel, weightedSum } from "../parts.ts";
import { WORDS } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { LABELS, type Labels, SCRIPT, type StepName, type Told } from "./text.ts";

/** What the class token (or all patches together) attends to in a layer, heads averaged. */
function askedBy({ attention, heads, prefix }: Observation, layer: number): number[] {
  const probs = attention[layer];
  const length = Math.sqrt(probs.length / heads);
  const rows = prefix > 0 ? [0] : Array.from({ length }, (_, i) => i);
  return Array.from({ length }, (_, c) => {
    let sum = 0;
    for (let h = 0; h < heads; h++) for (const r of rows) sum += probs[(h * length + r) * length + c];
    return sum / (heads * rows.length);
  });
}

const hiddenOf = (model: Model): number => model.slots.find((s) => /\.mlp\.fc1\.weight$/.test(s.name))?.shape[0] ?? 0;

/** What each step of the transformer shows. */
function shown({ picture }: LectureContext, o: Observation, w: Labels): Readonly<Record<StepName, Shown>> {
  const scores = scoresOf(o);
  const d = o.q.length;
  const shares = softmax(scores.map((s) => s / Math.sqrt(d)));
  const undivided = softmax(scores);
  const sum = weightedSum(shares, o.v);
  const row = (values: Float32Array, size: number, at: number) => values.subarray(at * size, (at + 1) * size);
  const [entered, place] = [row(o.tokens, o.dim, o.prefix + o.patch), row(o.positions, o.dim, o.patch)];
  const [k, v] = [o.k, o.v].map((values) => row(values, d, o.prefix + o.patch));
  /** A share for each patch over the image; tokens without a place are left out. */
  const over = (values: readonly number[]) => overlay(picture.pixels, values.slice(o.prefix), o.grid);
  return {
    position: {
      panels: [
        stripPanel(w.position, place),
        stripPanel(w.token, entered),
        amountPanel("cos", cosines(o.positions, o.dim, o.patch), o.grid),
      ],
      details: [line(w.position, place)],
    },
    qkv: {
      panels: [o.q, k, v].map((values, i) => stripPanel("QKV"[i], values)),
      details: [line("q", o.q), line("k", k), line("v", v)],
    },
    scores: {
      panels: [
        { title: w.divided, image: over(shares) },
        { title: w.undivided, image: over(undivided) },
      ],
      details: [
        line("q · k", scores),
        line(`softmax, ${w.divided}`, shares),
        line(`softmax, ${w.undivided}`, undivided),
      ],
    },
    values: { panels: [stripPanel(`d = ${d}`, sum)], width: 336, details: [line("Σ", sum)] },
    heads: { panels: [stripPanel(w.before, entered), stripPanel("+", o.attended)], width: 336 },
    mlp: { panels: [stripPanel("+", o.mixed), stripPanel(w.after, o.layers[0])], width: 336 },
    layers: {
      panels: everyOf(o.layers.length, MOST_LAYERS).flatMap((i) => [
        stripPanel(`${w.layer} ${i + 1}`, o.layers[i], 32),
        { title: o.prefix > 0 ? w.classToken : w.all, image: over(askedBy(o, i)) },
      ]),
      width: 112,
      columns: 8,
    },
    lines: {},
  };
}

/** The lecture of ViT and DeiT: patches, positions, attention, layer after layer. */
export const vitLecture: Lecture = {
  /** Three patches a side. */
  side: (model) => 3 * (model.slots.find((s) => s.name === "patch_embed.proj.weight")?.shape[2] ?? 16),
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language, toAddress } = context;
    const o = await observe(subject, picture, patch);
    const { model } = subject;
    const count = o.grid[0] * o.grid[1];
    if (o.patch < 0 || o.patch >= count)
      throw lacks(model, `${count} patches here, from 0: there is no patch ${o.patch}`);
    const common = commonOf(context, o.logits, {
      ...o,
      pooled: model.options.global_pool === "avg" ? "mean" : "token",
    });
    const told: Told = {
      ...{ patches: count, prefix: o.prefix, patch: o.patch, dim: o.dim, heads: o.heads, headDim: o.q.length },
      ...{ layers: o.layers.length, hidden: hiddenOf(model) },
    };
    const [script, labels] = [SCRIPT[language], { ...WORDS[language].labels, ...LABELS[language] }];
    const own = steps(script, told, shown(context, o, labels));
    const lines = linesHtml(
      { ...o, layers: o.attention.map((_, i) => `${labels.layer} ${i + 1}`) },
      await toAddress(picture.pixels),
      labels,
    );
    return [
      ...patchSteps(context, o, o.projected, common),
      ...own.map((s) => (s.id === "lines" ? { ...s, details: [lines] } : s)),
      await fieldStep(context),
      answerStep(context, o.logits, common),
    ];
  },
};
