import { extname } from "node:path";
import sharp from "sharp";
import { contactSheet } from "../data/contact-sheet.ts";
import { toGrey, toRgb } from "../data/image.ts";
import { type Mix, mixesOf, mixImages } from "../data/mixup.ts";
import { resizePlanar } from "../data/resize.ts";
import { TesseraeError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { buildModel, createLoaders, mixingOf } from "./recipe.ts";
import { openSamples } from "./sample-reader.ts";
import { settle, type TrainSettings } from "./settings/index.ts";
import { type OpenedData, openData } from "./sources/open-data.ts";
import { startOf } from "./start.ts";

export interface PreviewOptions extends Partial<TrainSettings> {
  /** As in `train`. */
  data: string;
  /** The sheet: .png, .jpg or .webp. */
  output: string;
  /** Images shown. Default 32. */
  count?: number;
  /** The epoch, from 0, of which the first images are shown. Default 0. */
  epoch?: number;
  /** Each image as it is, squeezed to the same size, to the left of what training sees. */
  originals?: boolean;
}

export interface PreviewTile {
  readonly path: string;
  readonly label: string;
  /** Another image of the batch that is mixed in: by blending, or in a box. */
  readonly mixed?: { readonly path: string; readonly label: string; readonly part: number; readonly box: boolean };
}

export interface PreviewResult {
  readonly output: string;
  /** Of the sheet, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The folder of the images. */
  readonly root: string;
  /** Row by row. */
  readonly tiles: readonly PreviewTile[];
  readonly notes: readonly string[];
  /** Files that could not be read: path and reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

interface Shown extends PreviewTile {
  /** [C, H, W]. */
  pixels: Uint8Array;
  index: number;
}

const FORMATS = { ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp" } as const;

const formatOf = (path: string) => FORMATS[extname(path).toLowerCase() as keyof typeof FORMATS];
/** Small images are enlarged to about so many pixels a side. */
const LEAST_SIDE = 96;
/** Of a sheet's side. */
const MOST_SIDE = 16_383;

/**
 * Draws the first images of an epoch exactly as `train` with the same settings sees them: same batches, same pixels,
 * mixed alike. The sheet is written whole or not at all. Throws TesseraeError.
 */
export async function preview(options: PreviewOptions): Promise<PreviewResult> {
  const { output, count = 32, epoch = 0, originals = false } = options;
  check(output, count, epoch);
  const { settings, start } = await startOf(settle(options), options);
  const data = await openData(options.data, settings);
  const model = buildModel(settings, data.train.classes.length, start);
  const { shown, skipped } = await firstImages(settings, model, data, count, epoch);
  const tiles = originals ? await withOriginals(shown, model, data) : shown.map(({ pixels }) => pixels);
  const image = contactSheet(tiles, layout(model, tiles.length, originals));
  const { width, height } = image;
  if (Math.max(width, height) > MOST_SIDE)
    throw new TesseraeError("usage", `a sheet of ${width} x ${height} pixels is too large`, { hint: "Lower --count" });
  const raw = { width, height, channels: 3 } as const;
  const format = formatOf(output);
  const quality = format === "png" ? {} : { quality: 90 }; // of a PNG it would mean a palette
  await writeFileAtomic(output, await sharp(image.data, { raw }).toFormat(format, quality).toBuffer());
  const described = shown.map(({ path, label, mixed }) => ({ path, label, ...(mixed && { mixed }) }));
  return { output, width, height, root: data.train.root, tiles: described, notes: data.notes, skipped };
}

function check(output: string, count: number, epoch: number): void {
  const refuse = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  if (!formatOf(output))
    throw refuse(`${output} is not named as an image`, `Name it *${Object.keys(FORMATS).join(", *")}`);
  if (!(Number.isInteger(count) && count >= 1)) throw refuse(`count ${count} is not a whole number of 1 or more`);
  if (!(Number.isInteger(epoch) && epoch >= 0)) throw refuse(`epoch ${epoch} is not a whole number of 0 or more`);
}

async function firstImages(s: TrainSettings, model: Model, data: OpenedData, count: number, epoch: number) {
  const { train } = data;
  const { train: loader, val } = createLoaders(s, model, data);
  const [, height, width] = model.inputShape;
  const mixing = mixingOf(s);
  const shown: Shown[] = [];
  try {
    let batch = 0;
    for await (const { images, labels, indices } of loader.epoch(epoch)) {
      const n = labels.length;
      const mixes = mixesOf(mixing, n, [height, width], { epoch, batch: batch++ });
      const pixels = mixes ? mixImages(images, mixes, model.inputShape) : images;
      const size = pixels.length / n;
      const named = (i: number) => {
        const { path, label } = train.samples[indices[i]];
        return { path, label: train.classes[label] };
      };
      for (let i = 0; i < n && shown.length < count; i++) {
        const mixed = mixes && mixedIn(mixes[i]);
        const partner = mixed && { mixed: { ...named(n - 1 - i), ...mixed } };
        shown.push({ ...named(i), ...partner, index: indices[i], pixels: pixels.subarray(i * size, (i + 1) * size) });
      }
      if (shown.length === count) break;
    }
    return { shown, skipped: new Map(loader.skipped) };
  } finally {
    await Promise.all([loader.close(), val?.close()]);
  }
}

const mixedIn = ({ lam, box }: Mix) => (lam === 1 ? undefined : { part: 1 - lam, box: box !== undefined });

/** Each image squeezed to the model's size, followed by its tile. */
async function withOriginals(shown: readonly Shown[], model: Model, { train }: OpenedData): Promise<Uint8Array[]> {
  const [channels, height, width] = model.inputShape;
  const reader = openSamples(train.files ?? []);
  const tiles: Uint8Array[] = [];
  try {
    for (const { index, pixels } of shown) {
      const image = await reader.decode(train.samples[index]);
      tiles.push(resizePlanar(channels === 1 ? toGrey(image) : toRgb(image), { width, height }), pixels);
    }
  } finally {
    reader.close();
  }
  return tiles;
}

/** About as wide as two times its height; an image and its tile stay side by side. */
function layout({ inputShape: shape }: Model, tiles: number, pairs: boolean) {
  const [, height, width] = shape;
  const zoom = Math.max(1, Math.round(LEAST_SIDE / Math.max(height, width)));
  const wanted = Math.ceil(Math.sqrt((2 * tiles * height) / width));
  const columns = Math.min(tiles, pairs ? 2 * Math.ceil(wanted / 2) : wanted);
  return { shape: shape as readonly [number, number, number], zoom, columns };
}
