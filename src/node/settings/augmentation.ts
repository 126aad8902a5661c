import type { EraseMode } from "../../data/augment/random-erasing.ts";
import { atLeast, probability, setting, wholeFrom } from "./setting.ts";

const chance = (flag: string, what: string) =>
  setting<number>({ flag: `${flag} <p>`, kind: "number", default: 0, help: `chance of ${what}`, must: probability });

export const augmentation = {
  aa: setting<string | undefined>({
    flag: "--aa <policy>",
    kind: "text",
    default: undefined,
    help: "automatic augmentation: rand-m9-mstd0.5-inc1, augmix-m5-w4-d2, original, originalr, v0, v0r, 3a",
  }),
  colorJitter: setting<number>({
    flag: "--color-jitter <range>",
    kind: "number",
    default: 0,
    help: "of brightness, contrast and saturation; --aa but 3a turns it off",
    must: atLeast(0),
  }),
  colorJitterProb: setting<number | undefined>({
    flag: "--color-jitter-prob <p>",
    kind: "number",
    default: undefined,
    help: "chance of colour jitter (default: 1)",
    must: probability,
  }),
  vflip: chance("--vflip", "a vertical flip"),
  grayscaleProb: chance("--grayscale-prob", "grey"),
  gaussianBlurProb: chance("--gaussian-blur-prob", "a Gaussian blur of 0.1 to 2 pixels"),
  solarizeProb: chance("--solarize-prob", "solarising from 128 on"),
  reprob: chance("--reprob", "random erasing"),
  remode: setting<EraseMode>({
    flag: "--remode <mode>",
    kind: ["const", "rand", "pixel"],
    default: "const",
    help: "erase to the mean, to one random colour a block, to noise",
  }),
  recount: setting<number>({
    flag: "--recount <n>",
    kind: "number",
    default: 1,
    help: "most blocks erased in an image",
    must: wholeFrom(1),
  }),
};
