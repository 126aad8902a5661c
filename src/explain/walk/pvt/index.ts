import { overlay } from "../../color.ts";
import type { Picture } from "../../figure.ts";
import { table } from "../../report/page.ts";
import { answerStep, commonOf, imageStep, streamShown } from "../common.ts";
import { type Lecture, type Shown, type Step, steps } from "../lecture.ts";
import { amountPanel, gridded, line, mapPanel, scaledScores, stagePanels, stripPanel, weightedSum } from "../parts.ts";
import { WORDS, type Words } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { SCRIPT, type StepName } from "./text.ts";

/** Side of the drawn image. */
const SIDE = 128;

function shown(picture: Picture, o: Observation, w: Words["labels"]): Readonly<Record<StepName, Shown>> {
  const sum = weightedSum([...o.shares], o.v);
  const rows = o.stages.map(({ size, channels, heads, keys }, i) => [i + 1, size.join(" × "), channels, heads, keys]);
  const header = [w.stage, w.queries, w.channel, w.head, w.keys];
  return {
    embed: {
      panels: [{ image: gridded(picture, o) }, stripPanel(`${o.dim}`, o.projected)],
      width: 336,
      details: [line("W x", o.projected)],
    },
    pyramid: { details: [table(header, rows, "")] },
    reduce: {
      panels: [mapPanel(w.before, o.before, o.grid, w), mapPanel(w.after, o.after, o.reduced, w)],
      width: 336,
    },
    scores: {
      panels: [
        { title: `${w.head} 0`, image: overlay(picture.pixels, o.shares, o.reduced) },
        amountPanel(w.share, o.shares, o.reduced),
      ],
      width: 336,
      details: [line("q · k / √d", scaledScores(o)), line("softmax", o.shares)],
    },
    values: { panels: [stripPanel(`d = ${o.q.length}`, sum)], width: 336, details: [line("Σ", sum)] },
    add: streamShown(o, w),
    stages: { panels: stagePanels(o.stages, w) },
  };
}

/** The lecture of PVT and PVT v2: a pyramid, and attention to reduced maps. */
export const pvtLecture: Lecture = {
  side: () => SIDE,
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language } = context;
    const { options, slots } = subject.model;
    const o = await observe(subject, picture, patch);
    const common = commonOf(context, o.logits, { ...o, pooled: options.global_pool === "token" ? "token" : "mean" });
    const told = {
      ...{ rows: o.grid[0], columns: o.grid[1], patch: o.patch, kernel: o.kernel, stride: o.stride, dim: o.dim },
      ...{ heads: o.heads, headDim: o.q.length, reduced: o.reduced, stages: o.stages.length },
      hidden: slots.find((s) => s.name.endsWith("mlp.fc1.weight"))?.shape[0] ?? 0,
      ratio: options.linear ? undefined : (options.sr_ratios as readonly number[])[0],
      table: slots.some((s) => s.grid),
    };
    return [
      imageStep(context, common),
      ...steps(SCRIPT[language], told, shown(picture, o, WORDS[language].labels)),
      answerStep(context, o.logits, common),
    ];
  },
};
