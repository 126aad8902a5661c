import type { ImageDataset } from "./dataset.ts";
import type { OrderOptions } from "./order.ts";
import type { EvalTransform, TrainTransform } from "./transform.ts";

export interface Batch {
  /** Planar bytes [B, C, H, W]; zeros where there is no image. */
  images: Uint8Array;
  /** [B]; -1 where there is no image: padding of the last batch, or (in evaluation) one that could not be read. */
  labels: Int32Array;
  /** [B], indices into the dataset; -1 where there is no image. */
  indices: Int32Array;
  /** Images in the batch: the labels that are not -1. */
  count: number;
}

export interface SkippedSample {
  path: string;
  reason: string;
}

export interface LoaderOptions extends OrderOptions {
  dataset: ImageDataset;
  batchSize: number;
  transform: TrainTransform | EvalTransform;
  /** 3 (RGB, the default) or 1 (grey). */
  inChans?: number;
  /** True: images that do not fill a batch are left out. False: the last batch is padded with label -1. */
  dropLast: boolean;
  /**
   * Threads; 0 works in this one. The batches are the same whatever the number. Decoding itself runs on libuv's
   * threads, of which a process has 4 unless UV_THREADPOOL_SIZE, set before it starts, says otherwise.
   */
  workers: number;
  /** Batches made ahead of the one asked for. Default: 2 for each worker, at least 2. */
  prefetch?: number;
  /** True: a file that cannot be read is an error. False: it is left out and named in `skipped`. */
  strict?: boolean;
  /** Memory for decoded images, shared by the workers. Default 256 MiB; 0 for none. Raw pixels need none. */
  cacheBytes?: number;
}

export interface Loader {
  readonly batchesPerEpoch: number;
  /**
   * Batches of an epoch from batch `from` on. In training, an image that cannot be read gives its place to the next
   * one in the epoch's order that can. Leaving the loop early cancels what is under way.
   */
  epoch(epoch: number, from?: number): AsyncIterable<Batch>;
  /** Files that could not be read so far: path -> reason. */
  readonly skipped: ReadonlyMap<string, string>;
  close(): Promise<void>;
}
