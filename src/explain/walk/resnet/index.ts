import { filterImage } from "../../figures/filters.ts";
import { answerStep, commonOf, imageStep } from "../common.ts";
import { fieldStep } from "../field.ts";
import { type Lecture, type Shown, type Step, steps } from "../lecture.ts";
import { line, signedPanel, stagePanels, stripPanel } from "../parts.ts";
import { WORDS, type Words } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { SCRIPT, type StepName } from "./text.ts";

/** Side of the drawn image. */
const SIDE = 128;

const shown = (o: Observation, w: Words["labels"]): Readonly<Record<StepName, Shown>> => ({
  stem: {
    panels: [
      { title: w.kernel, image: filterImage(o.filter, o.filterShape), sharp: true },
      signedPanel(`${w.channel} ${o.channel}`, o.response.values, o.response.size),
    ],
    details: [line("w", o.filter)],
  },
  block: {
    panels: [
      signedPanel("F(x)", o.residual, o.grid),
      signedPanel("+", o.shortcut, o.grid),
      signedPanel("relu", o.after, o.grid),
    ],
  },
  stages: { panels: stagePanels(o.stages, w) },
  pool: { panels: [stripPanel(String(o.pooled.length), o.pooled)], width: 480, details: [line("z", o.pooled)] },
});

/** The lecture of ResNet: filters, residual blocks, stages, what a place can see, the mean. */
export const resnetLecture: Lecture = {
  side: () => SIDE,
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language } = context;
    const o = await observe(subject, picture, patch);
    const { options } = subject.model;
    const common = commonOf(context, o.logits, { grid: o.grid, patch: o.patch });
    const told = {
      ...{ kernel: o.filterShape[1], filters: o.filters, channel: o.channel, rows: o.grid[0], columns: o.grid[1] },
      ...{ blockChannel: o.blockChannel, patch: o.patch, features: o.pooled.length },
      residual: o.residual[o.patch],
      shortcut: o.shortcut[o.patch],
      after: o.after[o.patch],
      silent: o.residual.every((v) => v === 0),
      bottleneck: options.block === "bottleneck",
      blocks: options.layers as readonly number[],
      last: o.stages[o.stages.length - 1].size,
    };
    const [stem, block, stages, pool] = steps(SCRIPT[language], told, shown(o, WORDS[language].labels));
    return [
      imageStep(context, common),
      ...[stem, block, stages],
      await fieldStep(context),
      pool,
      answerStep(context, o.logits, common),
    ];
  },
};
