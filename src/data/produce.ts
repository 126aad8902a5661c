import { TesseraeError } from "../errors.ts";
import type { ImageSample } from "./dataset.ts";
import { type PartOf, type PixelImage, toGrey, toRgb } from "./image.ts";
import type { SkippedSample } from "./loader.ts";
import type { PixelCache } from "./pixel-cache.ts";
import { applyTransform, type SampleKey, sourceBox, type Transform } from "./transform.ts";

/** What stays the same for all of a loader's batches. Plain data. */
export interface ProducerSettings {
  transform: Transform;
  inChans: 1 | 3;
  batchSize: number;
  seed: number;
}

/** A sample in its turn. */
export interface Draw extends Pick<ImageSample, "path" | "place"> {
  /** Its index in the dataset. */
  index: number;
  /** How often the epoch has had it before. */
  repeat: number;
}

/** Place s of the batch tries samples s, s + 1, .. s + tries - 1; the first that can be read is taken. */
export interface BatchJob {
  epoch: number;
  /** Places to fill. */
  count: number;
  tries: number;
  samples: Draw[];
}

export interface BatchPixels {
  /** [B, C, H, W], zeros in the places not asked for or not filled. */
  images: Uint8Array;
  /** [B]: the index of the sample in each place, -1 for none. */
  indices: Int32Array;
  failed: SkippedSample[];
}

/**
 * Reads a sample: all of it, or where that is cheaper the part that is needed.
 * @throws TesseraeError `data` where its file is at fault; anything else is a fault of ours.
 */
export type Decode = (sample: Pick<ImageSample, "path" | "place">, partOf?: PartOf) => Promise<PixelImage>;

/** Decodes under way at once: one is unpacked while another is resized. */
const AHEAD = 2;

/** Makes the pixels of batches, on whichever thread. */
export function batchProducer(settings: ProducerSettings, decode: Decode, cache?: PixelCache) {
  const { transform, inChans, batchSize, seed } = settings;
  const size = inChans * transform.size[0] * transform.size[1];

  const load = async (draw: Draw, key: SampleKey): Promise<PixelImage> => {
    const image = await decode(draw, (width, height) =>
      cache?.hasRoom(inChans * width * height) ? undefined : sourceBox(transform, width, height, key),
    );
    const kept = inChans === 1 ? toGrey(image) : toRgb(image);
    if (!kept.within) cache?.put(draw.index, kept);
    return kept;
  };

  /** Resolves to undefined when `cancelled` turns true on the way. */
  return async (job: BatchJob, cancelled: () => boolean): Promise<BatchPixels | undefined> => {
    const images = new Uint8Array(batchSize * size);
    const indices = new Int32Array(batchSize).fill(-1);
    const failed: SkippedSample[][] = [];
    let next = 0;
    const fill = async (): Promise<void> => {
      while (next < job.count && !cancelled()) {
        const slot = next++;
        failed[slot] = [];
        for (const draw of job.samples.slice(slot, slot + job.tries)) {
          const { index, path, repeat } = draw;
          const key = { seed, epoch: job.epoch, index, repeat };
          try {
            const image = cache?.get(index) ?? (await load(draw, key));
            const out = images.subarray(slot * size, (slot + 1) * size);
            applyTransform(transform, image, inChans, key, out);
            indices[slot] = index;
            break;
          } catch (error) {
            if (!(error instanceof TesseraeError) || error.code !== "data") throw error;
            const prefix = `${path}: `;
            const reason = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
            failed[slot].push({ path, reason });
          }
        }
      }
    };
    await Promise.all(Array.from({ length: AHEAD }, fill));
    if (cancelled()) return undefined;
    return { images, indices, failed: failed.flat() };
  };
}
