import type { Picture } from "../../figure.ts";
import { countsOf } from "../../windows.ts";
import { answerStep, commonOf, imageStep } from "../common.ts";
import { type Lecture, type Shown, type Step, steps } from "../lecture.ts";
import { amountPanel, line, mapPanel, signedPanel, stagePanels, stripPanel } from "../parts.ts";
import { biasPanel, pairPanel, pairTable, sharesPanel, windowPanel } from "../window-look.ts";
import { WORDS, type Words } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { SCRIPT, type StepName } from "./text.ts";

/** Side of the drawn image: 1/32 of it is a window of 4. */
const SIDE = 128;

function shown(picture: Picture, o: Observation, w: Words["labels"]): Readonly<Record<StepName, Shown>> {
  const { block, grids, channel } = o;
  return {
    stem: { panels: [mapPanel(w.stem, o.stem.values, o.stem.size, w)] },
    mbconv: {
      panels: [
        signedPanel(`${w.before}, ${w.channel} ${channel}`, o.before.values, o.before.size),
        signedPanel(w.kernel, o.kernel.values, o.kernel.size),
        signedPanel(w.after, o.convolved, o.grid),
      ],
      details: [line("w", o.kernel.values)],
    },
    excite: {
      panels: [
        signedPanel(w.before, o.ungated, o.grid),
        stripPanel(String(o.gates.length), o.gates),
        signedPanel(w.after, o.gated, o.grid),
      ],
      details: [line("s", o.gates)],
    },
    shortcut: {
      panels: [stripPanel("W x", o.projected), stripPanel("+", o.shortcut), stripPanel("=", o.convOut)],
      details: [line("W x", o.projected), line("+", o.shortcut), line("=", o.convOut)],
    },
    axes: {
      panels: [
        windowPanel(w.block, picture, block),
        windowPanel(w.grid, picture, grids),
        sharesPanel(`${w.block}, ${w.head} 0`, picture, block),
        sharesPanel(`${w.grid}, ${w.head} 0`, picture, grids),
        amountPanel(w.share, block.shares, block.windows.window),
        amountPanel(w.share, grids.shares, grids.windows.window),
      ],
      width: 336,
      columns: 2,
      details: [line(w.block, block.shares), line(w.grid, grids.shares)],
    },
    bias: {
      panels: [pairPanel(w.pair, picture, block), biasPanel(`${w.bias}, ${w.head} 0`, block)],
      width: 336,
      details: [pairTable(block, w)],
    },
    add: {
      panels: [
        stripPanel(w.before, o.convOut),
        stripPanel(`+ ${w.block}`, o.afterBlock),
        stripPanel(`+ ${w.grid}`, o.afterGrid),
      ],
    },
    stages: { panels: stagePanels(o.stages, w) },
  };
}

/** The lecture of MaxViT: MBConv, attention in blocks and in grids, the bias of an offset. */
export const maxvitLecture: Lecture = {
  side: ({ options }) =>
    options.window_size === null && options.grid_size === null ? SIDE : (options.img_size as number),
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language } = context;
    const o = await observe(subject, picture, patch);
    const common = commonOf(context, o.logits, { ...o, dim: o.dim });
    const { windows, offset, bias, key } = o.block;
    const told = {
      ...{ rows: o.grid[0], columns: o.grid[1], patch: o.patch, dim: o.dim, heads: o.heads, offset },
      ...{ stem: o.stem.size, stemChannels: o.stem.channels, hidden: o.gates.length, channel: o.channel },
      gate: o.gates[o.channel],
      window: windows.window,
      grid: o.grids.windows.window,
      stride: countsOf(o.grids.windows),
      bias: bias[key],
      network: subject.model.options.rel_pos_type === "mlp",
      stages: o.stages.length,
    };
    return [
      imageStep(context, common),
      ...steps(SCRIPT[language], told, shown(picture, o, WORDS[language].labels)),
      answerStep(context, o.logits, common),
    ];
  },
};
