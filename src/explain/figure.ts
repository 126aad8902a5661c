import type { PixelImage } from "../data/image.ts";
import { TesseraeError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import type { Drawing } from "./drawing.ts";
import type { Subject } from "./subject.ts";

/** An image as the model sees it. */
export interface Picture {
  readonly name: string;
  /** RGB of the model's size. */
  readonly pixels: PixelImage;
  /** Normalised [C, H, W]. */
  readonly input: Float32Array;
  /** The class that is explained. */
  readonly target: number;
}

export interface FigureContext extends Subject {
  readonly pictures: readonly Picture[];
  /** State-dict path of the module that is looked at, for figures of one layer. */
  readonly layer?: string;
  /** Of figures that draw random numbers. */
  readonly seed: number;
  /** Another model, for figures that compare two, and the same images as that one sees them. */
  readonly against?: Subject & { readonly pictures?: readonly Picture[] };
}

/** One figure: a file of figures/ and a line of the table. */
export interface Figure {
  readonly title: string;
  /** Where it comes from. */
  readonly source: string;
  /** Drawn of images; else of weights alone. */
  readonly images: boolean;
  /** Throws TesseraeError("model") that says what the model lacks. */
  draw(context: FigureContext): Promise<Drawing>;
}

export const lacks = (model: Model, what: string): TesseraeError =>
  new TesseraeError("model", `${model.name} has ${what}`);

/** Pictures joined to one batch [n, C, H, W]. */
export function batchOf(pictures: readonly Picture[]): { images: Float32Array; classes: number[] } {
  const size = pictures[0]?.input.length ?? 0;
  const images = new Float32Array(size * pictures.length);
  pictures.forEach(({ input }, i) => {
    images.set(input, i * size);
  });
  return { images, classes: pictures.map((p) => p.target) };
}
