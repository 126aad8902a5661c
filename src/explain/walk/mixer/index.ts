import { pair, type Size } from "../../../nn/size.ts";
import { balance, paint, SIGNED } from "../../color.ts";
import type { Panel } from "../../drawing.ts";
import { answerStep, commonOf, layersShown, patchSteps } from "../common.ts";
import { type Lecture, type Shown, type Step, steps } from "../lecture.ts";
import { line, signedPanel, stripPanel } from "../parts.ts";
import { WORDS } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { SCRIPT, type StepName } from "./text.ts";

/** Channels of the table that are drawn: twice as many as patches. */
const drawnOf = ({ dim, grid }: Observation): number => Math.min(dim, 2 * grid[0] * grid[1]);

/** The table [S, C], its first channels, and the same transposed. */
function tablePanels(o: Observation): readonly [Panel, Panel] {
  const [rows, columns] = [o.grid[0] * o.grid[1], drawnOf(o)];
  const shown = balance(o.table);
  const panel = (title: string, size: Size, at: (y: number, x: number) => number): Panel => ({
    title,
    image: paint(
      Float32Array.from({ length: size[0] * size[1] }, (_, i) => shown[at(Math.floor(i / size[1]), i % size[1])]),
      size,
      SIGNED,
    ),
    sharp: true,
  });
  return [panel("X", [rows, columns], (p, c) => p * o.dim + c), panel("Xᵀ", [columns, rows], (c, p) => p * o.dim + c)];
}

function shown(o: Observation, w: (typeof WORDS)["en"]["labels"]): Readonly<Record<StepName, Shown>> {
  return {
    table: { panels: tablePanels(o), width: 224 },
    tokens: {
      panels: [
        signedPanel(`${w.before}, ${w.channel} ${o.channel}`, o.before, o.grid),
        stripPanel(String(o.hidden.length), o.hidden),
        signedPanel(w.after, o.mixed, o.grid),
      ],
      details: [line("x", o.before), line("W₂ σ(W₁ x)", o.mixed)],
    },
    residual: {
      panels: [stripPanel(w.before, o.row), stripPanel("+", o.fromTokens)],
      width: 336,
      details: [line("x", o.row), line("+", o.fromTokens)],
    },
    channels: {
      panels: [
        stripPanel("norm", o.normed),
        stripPanel(String(o.hiddenChannels.length), o.hiddenChannels),
        stripPanel("+", o.fromChannels),
        stripPanel(w.after, o.out),
      ],
      details: [line("W₄ σ(W₃ x)", o.fromChannels), line("=", o.out)],
    },
    layers: layersShown(o.layers, o.grid, w),
  };
}

/** The lecture of MLP-Mixer: a table of patches and channels, mixed along one and along the other. */
export const mixerLecture: Lecture = {
  /** Three patches a side. */
  side: (model) => 3 * pair(model.options.patch_size as number)[0],
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language } = context;
    const o = await observe(subject, picture, patch);
    const common = commonOf(context, o.logits, o);
    const told = {
      ...{ dim: o.dim, depth: o.depth, channel: o.channel, patch: o.patch, drawn: drawnOf(o) },
      places: o.grid[0] * o.grid[1],
      hiddenTokens: o.hidden.length,
      hiddenChannels: o.hiddenChannels.length,
    };
    return [
      ...patchSteps(context, o, o.row, common),
      ...steps(SCRIPT[language], told, shown(o, WORDS[language].labels)),
      answerStep(context, o.logits, common),
    ];
  },
};
