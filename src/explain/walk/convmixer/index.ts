import { answerStep, commonOf, layersShown, patchSteps } from "../common.ts";
import { fieldStep } from "../field.ts";
import { type Lecture, type Shown, type Step, steps } from "../lecture.ts";
import { line, signedPanel, stripPanel } from "../parts.ts";
import { WORDS } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { SCRIPT, type StepName } from "./text.ts";

/** Patches a side of the drawn image. */
const PATCHES = 16;

function shown(o: Observation, w: (typeof WORDS)["en"]["labels"]): Readonly<Record<StepName, Shown>> {
  const side = [o.kernelSize, o.kernelSize] as const;
  return {
    embed: {
      panels: [stripPanel("W x", o.projected), stripPanel("norm(σ(W x))", o.embedded)],
      width: 336,
      details: [line("z", o.embedded)],
    },
    depthwise: {
      panels: [
        signedPanel(`${w.channel} ${o.channel}`, o.before, o.grid),
        signedPanel(w.kernel, o.kernel, side),
        signedPanel("∗", o.convolved, o.grid),
      ],
      details: [line("w", o.kernel), line("x", o.window), line("Σ w x + b", [o.convolved[o.patch]])],
    },
    residual: {
      panels: [
        signedPanel(w.before, o.before, o.grid),
        signedPanel("norm(σ(∗))", o.normed, o.grid),
        signedPanel(w.after, o.added, o.grid),
      ],
      details: [line("+", [o.before[o.patch], o.normed[o.patch]]), line("=", [o.added[o.patch]])],
    },
    pointwise: {
      panels: [stripPanel(w.before, o.column), stripPanel("W x", o.mixed), stripPanel(w.after, o.out)],
      details: [line("x", o.column), line("norm(σ(W x))", o.out)],
    },
    layers: layersShown(o.layers, o.grid, w),
  };
}

/** The lecture of ConvMixer: patches, one depthwise kernel, the residual, a matrix over channels, layer after layer. */
export const convmixerLecture: Lecture = {
  side: (model) => PATCHES * (model.options.patch_size as number),
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language } = context;
    const o = await observe(subject, picture, patch);
    const common = commonOf(context, o.logits, o);
    const told = {
      ...{ dim: o.dim, depth: o.depth, kernel: o.kernelSize, channel: o.channel, patch: o.patch },
      places: o.grid[0] * o.grid[1],
      value: o.convolved[o.patch],
      residual: subject.model.options.residual as boolean,
    };
    return [
      ...patchSteps(context, o, o.projected, common),
      ...steps(SCRIPT[language], told, shown(o, WORDS[language].labels)),
      await fieldStep(context),
      answerStep(context, o.logits, common),
    ];
  },
};
