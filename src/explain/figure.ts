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
  /** Its own class among the model's, where that is known. */
  readonly label?: number;
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
  /** Images of a set that it is drawn of at most. Default 4: a row of panels for each. */
  readonly most?: number;
  /** Says little of a few images: of all figures it is drawn of a set alone. */
  readonly set?: true;
  /** Throws TesseraeError("model") that says what the model lacks. */
  draw(context: FigureContext): Promise<Drawing>;
}

/** Images of a set that a figure without a bound of its own is drawn of. */
export const FEW = 4;

/** At most `count` of a list at even distances. */
export const evenly = <T>(list: readonly T[], count: number): T[] =>
  list.length <= count
    ? [...list]
    : Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]);

/** The pictures of a set that a figure is drawn of. */
export const picturesFor = ({ most = FEW }: Figure, pictures: readonly Picture[]): Picture[] => evenly(pictures, most);

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
