import type { PixelImage } from "../../data/image.ts";
import { TesseraeError } from "../../errors.ts";
import convmixer from "../../models/convmixer.ts";
import deit from "../../models/deit.ts";
import { familyOf } from "../../models/index.ts";
import maxvit from "../../models/maxvit.ts";
import mlpMixer from "../../models/mlp-mixer.ts";
import type { Family, Model } from "../../models/model.ts";
import pvt from "../../models/pvt.ts";
import pvtV2 from "../../models/pvt-v2.ts";
import resnet from "../../models/resnet.ts";
import swin from "../../models/swin.ts";
import swinV2 from "../../models/swinv2.ts";
import vit from "../../models/vit.ts";
import type { Drawing } from "../drawing.ts";
import type { Picture } from "../figure.ts";
import { figure, html, page, type Section } from "../report/page.ts";
import type { Subject } from "../subject.ts";
import { convmixerLecture } from "./convmixer/index.ts";
import type { Lecture } from "./lecture.ts";
import { maxvitLecture } from "./maxvit/index.ts";
import { mixerLecture } from "./mixer/index.ts";
import { pvtLecture } from "./pvt/index.ts";
import { resnetLecture } from "./resnet/index.ts";
import { swinLecture } from "./swin/index.ts";
import { vitLecture } from "./vit/index.ts";
import { type Language, WORDS } from "./words.ts";

export interface WalkOptions {
  readonly language?: Language;
  /** The patch that is followed, from 0; absent: the lecture chooses one. */
  readonly patch?: number;
  /** Whether the weights are fresh, which the page then says. */
  readonly fresh?: boolean;
  /** Draws. */
  readonly toSvg: (drawing: Drawing) => Promise<string>;
  readonly toAddress: (image: PixelImage) => Promise<string>;
}

interface Told {
  /** What people call the families. */
  readonly name: string;
  readonly families: readonly Family[];
  readonly lecture: Lecture;
}

/** Families and their lectures. */
export const LECTURES: readonly Told[] = [
  { name: "ViT and DeiT", families: [vit, deit], lecture: vitLecture },
  { name: "ConvMixer", families: [convmixer], lecture: convmixerLecture },
  { name: "Swin", families: [swin, swinV2], lecture: swinLecture },
  { name: "MaxViT", families: [maxvit], lecture: maxvitLecture },
  { name: "PVT", families: [pvt, pvtV2], lecture: pvtLecture },
  { name: "ResNet", families: [resnet], lecture: resnetLecture },
  { name: "MLP-Mixer", families: [mlpMixer], lecture: mixerLecture },
];

/** The lecture of a model's family. Throws TesseraeError("model") that says which families have one. */
export function lectureOf(model: Model): Lecture {
  const family = familyOf(model.name);
  const found = LECTURES.find(({ families }) => family && families.includes(family));
  if (found) return found.lecture;
  throw new TesseraeError("model", `${model.name} is of a family without a lecture`, {
    hint: `There are lectures of ${LECTURES.map((l) => l.name).join(", ")}`,
  });
}

/** The lecture as a page that stands alone: one image through a model, step by step. Throws TesseraeError("model" | "usage"). */
export async function walk(subject: Subject, picture: Picture, options: WalkOptions): Promise<string> {
  const { language = "en", patch, fresh, toSvg, toAddress } = options;
  const { model } = subject;
  const words = WORDS[language];
  const steps = await lectureOf(model).tell({ subject, picture, patch, language, toAddress });
  const sections: Section[] = [];
  for (const [i, { id, title, text, drawing, details }] of steps.entries()) {
    const drawn = drawing ? [figure(`step-${id}`, await toSvg(drawing), title)] : [];
    sections.push({ id, title: `${i + 1}. ${title}`, body: [html`<p>${text}</p>`, ...drawn, ...details] });
  }
  const lead = `${words.lead(model.name, picture.name)}${fresh ? ` ${words.fresh}` : ""}`;
  return page(model.name, lead, sections, language);
}
