import { AMOUNT, paint, stretch } from "../../color.ts";
import type { Picture } from "../../figure.ts";
import { countsOf } from "../../windows.ts";
import { answerStep, commonOf, patchSteps, streamShown } from "../common.ts";
import { type Lecture, type Shown, type Step, steps } from "../lecture.ts";
import { amountPanel, line, mapsOfRows, stagePanels, stripPanel } from "../parts.ts";
import { biasPanel, pairPanel, pairTable, sharesPanel, windowPanel } from "../window-look.ts";
import { WORDS, type Words } from "../words.ts";
import { type Observation, observe } from "./observe.ts";
import { SCRIPT, type StepName } from "./text.ts";

/** Windows a side of the drawn image. */
const WINDOWS = 4;

function shown(picture: Picture, o: Observation, w: Words["labels"]): Readonly<Record<StepName, Shown>> {
  const [plain, shifted] = [o.plain, o.shifted];
  const length = plain.shares.length;
  const maskPanel = o.mask && [{ title: w.mask, image: paint(stretch(o.mask), [length, length], AMOUNT), sharp: true }];
  return {
    windows: {
      panels: [windowPanel(`${countsOf(plain.windows).join(" × ")}`, picture, plain)],
      width: 336,
    },
    bias: {
      panels: [pairPanel(w.pair, picture, plain), biasPanel(`${w.bias}, ${w.head} 0`, plain)],
      width: 336,
      details: [pairTable(plain, w)],
    },
    attend: {
      panels: [sharesPanel(`${w.head} 0`, picture, plain), amountPanel(w.window, plain.shares, plain.windows.window)],
      width: 336,
      details: [line("q · k", plain.scores), line(w.bias, plain.bias), line("softmax", plain.shares)],
    },
    shift: shifted
      ? {
          panels: [
            windowPanel(w.window, picture, shifted),
            ...(maskPanel ?? []),
            sharesPanel(`${w.head} 0`, picture, shifted),
          ],
          details: [pairTable(shifted, w)],
        }
      : {},
    add: streamShown(o, w),
    merge:
      o.neighbours && o.merged
        ? {
            panels: [
              stripPanel(String(o.neighbours.length), o.neighbours),
              stripPanel(String(o.merged.length), o.merged),
            ],
            width: 336,
          }
        : {},
    stages: {
      panels: stagePanels(
        o.stages.map(({ size, values }) => ({ size, maps: mapsOfRows(values, size) })),
        w,
      ),
    },
  };
}

/** The lecture of Swin and Swin V2: windows, the bias of an offset, shifted windows and their mask, merging. */
export const swinLecture: Lecture = {
  side(model) {
    const window = Number.parseInt(String(model.stage?.(0).window ?? 7), 10);
    return WINDOWS * window * (model.options.patch_size as number);
  },
  async tell(context): Promise<Step[]> {
    const { subject, picture, patch, language } = context;
    const o = await observe(subject, picture, patch);
    const common = commonOf(context, o.logits, o);
    const { windows, offset, bias, key } = o.plain;
    const [count, moved] = [countsOf(windows), o.shifted?.windows.shift ?? ([0, 0] as const)];
    const told = {
      ...{ rows: o.grid[0], columns: o.grid[1], patch: o.patch, dim: o.dim, heads: o.heads, offset },
      ...{ window: windows.window, windows: count[0] * count[1], shift: moved, shifts: o.shifted !== undefined },
      bias: bias[key],
      network: subject.model.slots.some((s) => s.name.includes("cpb_mlp")),
      hidden: subject.model.slots.find((s) => s.name.endsWith("mlp.fc1.weight"))?.shape[0] ?? 0,
      stages: o.stages.length,
    };
    return [
      ...patchSteps(context, o, o.projected, common),
      ...steps(SCRIPT[language], told, shown(picture, o, WORDS[language].labels)),
      answerStep(context, o.logits, common),
    ];
  },
};
