import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import sharp from "sharp";
import type { ImageDataset } from "../data/dataset.ts";
import type { PixelImage } from "../data/image.ts";
import { TesseraeError } from "../errors.ts";
import { type Drawing, type Panel, panelsToSvg } from "../explain/drawing.ts";
import { evenly, type FigureContext, type Picture } from "../explain/figure.ts";
import { FIGURES } from "../explain/index.ts";
import { mapToSvg } from "../explain/map-svg.ts";
import { askEach, createSubject, inquire, type Subject } from "../explain/subject.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Backend } from "../runtime/backend.ts";
import { pictureOf } from "../studio/picture.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { type Chart, drawChart, rasterize } from "./chart.ts";
import { decodeFile } from "./decode.ts";
import { ioError } from "./file-system.ts";
import type { TrainedModel } from "./model-files.ts";
import { openSamples } from "./sample-reader.ts";

/** Puts a trained model on a backend for figures; `dispose` the subject's state when done. Throws TesseraeError("usage") for an export, whose inner tensors are gone. */
export async function subjectOf(trained: TrainedModel, backend: Backend): Promise<Subject> {
  if (trained.kind === "onnx")
    throw new TesseraeError("usage", "is an export, without the model's inner tensors", {
      where: trained.path,
      hint: "Name the run folder or checkpoint it was exported from",
    });
  return createSubject(trained.spec, trained.weights, backend);
}

/** Images as the model sees them. Without `target`, each explains the class that the model gives it. */
export async function picturesOf(
  subject: Subject,
  spec: ModelSpec,
  paths: readonly string[],
  target?: number,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const path of paths) pictures.push(pictureOf(spec, await decodeFile(path), basename(path), target ?? 0));
  return target === undefined ? answered(subject, pictures) : pictures;
}

export interface SetPictures {
  readonly pictures: Picture[];
  /** Files that could not be read: path and reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

/** At most `limit` images of a set at even distances, with their classes, as `picturesOf` gives files. Labels are the model's own. */
export async function picturesOfSet(
  subject: Subject,
  spec: ModelSpec,
  dataset: ImageDataset,
  { limit, target }: { readonly limit: number; readonly target?: number },
): Promise<SetPictures> {
  const reader = openSamples(dataset.files ?? []);
  const pictures: Picture[] = [];
  const skipped = new Map<string, string>();
  try {
    for (const sample of evenly(dataset.samples, limit)) {
      try {
        const { label, path } = sample;
        const picture = pictureOf(spec, await reader.decode(sample), basename(path), target ?? 0);
        pictures.push(label < 0 ? picture : { ...picture, label });
      } catch (error) {
        if (!(error instanceof TesseraeError && error.code === "data")) throw error;
        skipped.set(sample.path, error.message);
      }
    }
  } finally {
    reader.close();
  }
  if (pictures.length === 0)
    throw new TesseraeError("data", "holds no image that can be read", { where: dataset.root });
  return { pictures: target === undefined ? await answered(subject, pictures) : pictures, skipped };
}

/** Images of a run that asks for classes. */
const BATCH = 8;

/** Pictures that each explain the class that the model gives them. */
async function answered(subject: Subject, pictures: readonly Picture[]): Promise<Picture[]> {
  if (pictures.length === 0) return [];
  const batch = Math.min(BATCH, pictures.length);
  const inquiry = await inquire(subject, batch, (of) => new Map([["logits", of.logits]]));
  try {
    const inputs = pictures.map((p) => p.input);
    const logits = await askEach(inquiry, batch, inputs, 0, "logits");
    return pictures.map((p, i) => ({ ...p, target: logits[i].indexOf(Math.max(...logits[i])) }));
  } finally {
    await inquiry.dispose();
  }
}

/** Pictures of more pixels than these are photographs: as JPEG they take a tenth of the room. */
const PHOTOGRAPH = 96 * 96;

/** A picture as a data address: PNG where its edges matter or it is small, else JPEG of at most `most` pixels' width. */
export async function pictureAddress(
  { width, height, data }: PixelImage,
  { exact = false, most = width }: { exact?: boolean; most?: number } = {},
): Promise<string> {
  const raw = sharp(data, { raw: { width, height, channels: 3 } });
  const photograph = !exact && width * height > PHOTOGRAPH;
  const bytes = await (photograph ? raw.resize(Math.min(most, width)).jpeg({ quality: 88 }) : raw.png()).toBuffer();
  return `data:image/${photograph ? "jpeg" : "png"};base64,${bytes.toString("base64")}`;
}

/** A small square picture as a JPEG's data address; what is smaller still keeps its pixels' edges. */
export async function thumbnailAddress({ width, height, data }: PixelImage, side: number): Promise<string> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(side, side, { kernel: width < side ? "nearest" : "lanczos3" })
    .jpeg({ quality: 82 })
    .toBuffer();
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}

/** Pixels a side of an image on a map. */
const MAP_TILE = 40;

/** A drawing as SVG that stands alone. */
export async function drawingSvg(drawing: Drawing): Promise<string> {
  if (drawing.kind === "map") {
    const tiles = drawing.images.map(({ image }) => thumbnailAddress(image, MAP_TILE));
    return mapToSvg(drawing, await Promise.all(tiles));
  }
  const addressOf = ({ image, sharp: exact }: Panel) =>
    pictureAddress(image, { exact, most: drawing.kind === "panels" ? 2 * drawing.width : undefined });
  if (drawing.kind === "panels") return panelsToSvg(drawing, await Promise.all(drawing.panels.map(addressOf)));
  const { title, caption: description, spec } = drawing;
  return drawChart({ title, description, ...spec } as Chart);
}

export interface FigureFiles {
  readonly name: string;
  readonly svg: string;
  readonly png: string;
  readonly json: string;
}

/** Numbers of JSON to five digits. */
const rounded = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;

/** Writes a drawing into a folder: NAME.svg, NAME.png and NAME.json. Throws TesseraeError("io"). */
export async function writeDrawing(
  name: string,
  drawing: Drawing,
  source: string,
  folder: string,
): Promise<FigureFiles> {
  const svg = await drawingSvg(drawing);
  const { title, caption, data } = drawing;
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw ioError("cannot make the folder of figures", error, { where: folder });
  }
  const file = (extension: string) => join(folder, `${name}.${extension}`);
  const text = (value: string) => new TextEncoder().encode(value);
  await writeFileAtomic(file("svg"), text(svg));
  await writeFileAtomic(file("png"), await rasterize(svg));
  await writeFileAtomic(file("json"), text(JSON.stringify({ title, caption, source, data }, rounded)));
  return { name, svg: file("svg"), png: file("png"), json: file("json") };
}

/** Draws a figure of the table into a folder: NAME.svg, NAME.png and NAME.json. Throws TesseraeError. */
export const writeFigure = async (name: string, context: FigureContext, folder: string): Promise<FigureFiles> =>
  writeDrawing(name, await FIGURES[name].draw(context), FIGURES[name].source, folder);
