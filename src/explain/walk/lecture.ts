import type { PixelImage } from "../../data/image.ts";
import type { Model } from "../../models/model.ts";
import type { Drawing, Panel } from "../drawing.ts";
import type { Picture } from "../figure.ts";
import type { Html } from "../report/page.ts";
import type { Subject } from "../subject.ts";
import type { Language } from "./words.ts";

export interface LectureContext {
  readonly subject: Subject;
  readonly picture: Picture;
  readonly language: Language;
  /** The patch that is followed, from 0; absent: the lecture chooses one. */
  readonly patch?: number;
  readonly toAddress: (image: PixelImage) => Promise<string>;
}

/** One step: what is said, drawn and counted. */
export interface Step {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly drawing?: Drawing;
  readonly details: readonly Html[];
}

/** What a step shows beside its words. */
export interface Shown {
  readonly panels?: readonly Panel[];
  /** Of a panel. */
  readonly width?: number;
  readonly columns?: number;
  /** In place of panels. */
  readonly drawing?: Drawing;
  readonly details?: readonly Html[];
}

/** The lecture of a family. */
export interface Lecture {
  /** Side of the drawn image that a lecture without an image has. */
  side(model: Model): number;
  /** Throws TesseraeError("model") that says what the model lacks. */
  tell(context: LectureContext): Promise<Step[]>;
}

/** Words of a step; its sentences name the numbers of T. */
export interface Said<T> {
  readonly title: string;
  readonly text: (told: T) => string;
}

export type Script<Name extends string, T> = Readonly<Record<Name, Said<T>>>;

/** A step with its words; T are the numbers that they name. */
export function step<Name extends string, T>(script: Script<Name, T>, id: Name, told: T, shown: Shown = {}): Step {
  const { title, text } = script[id];
  const { panels, width = 224, columns = panels?.length ?? 1, drawing, details = [] } = shown;
  const drawn: Drawing | undefined = panels
    ? { kind: "panels", title, caption: title, columns, panels, width, data: undefined }
    : drawing;
  return { id, title, text: text(told), drawing: drawn, details };
}

/** Steps in the order in which they are shown. */
export const steps = <Name extends string, T>(
  script: Script<Name, T>,
  told: T,
  shown: Readonly<Record<Name, Shown>>,
): Step[] => (Object.keys(shown) as Name[]).map((id) => step(script, id, told, shown[id]));
