import type { ImageDataset } from "../data/dataset.ts";
import type { Batch, Loader, LoaderOptions } from "../data/loader.ts";
import { type EpochOrder, epochOrders } from "../data/order.ts";
import { allocatePixelCache, openPixelCache, type PixelCacheMemory } from "../data/pixel-cache.ts";
import { type BatchJob, type BatchPixels, batchProducer, type Draw, type ProducerSettings } from "../data/produce.ts";
import { checkTransform } from "../data/transform.ts";
import { TesseraeError } from "../errors.ts";
import type { WorkerReply, WorkerRequest, WorkerStart } from "./data-worker.ts";
import { prepareSharp } from "./decode.ts";
import { openSamples } from "./sample-reader.ts";
import { startWorker, type WorkerThread } from "./worker-thread.ts";

const DEFAULT_CACHE_BYTES = 256 * 2 ** 20;
/** In training, how many samples in a row a place in a batch tries before giving up. */
const TRIES = 33;

interface Task {
  /** Undefined when cancelled. */
  result: Promise<BatchPixels | undefined>;
  cancel(): void;
}

interface Pool {
  run(job: BatchJob): Task;
  close(): Promise<void>;
}

const closed = () => new TesseraeError("usage", "the data loader is closed");

/** Works in the calling thread (decoding itself is on libuv's threads), one batch at a time. */
function localPool({ settings, files, cache }: WorkerStart): Pool {
  prepareSharp();
  const reader = openSamples(files);
  const produce = batchProducer(settings, reader.decode, cache && openPixelCache(cache));
  let queue: Promise<unknown> = Promise.resolve();
  let stopped = false;
  return {
    run(job) {
      let cancelled = false;
      const result = queue.then(() => produce(job, () => cancelled || stopped));
      queue = result.catch(() => {});
      return { result, cancel: () => (cancelled = true) };
    },
    async close() {
      stopped = true;
      await queue;
      reader.close();
    },
  };
}

interface Member {
  thread: WorkerThread;
  pending: Map<number, { resolve(pixels: BatchPixels | undefined): void; reject(error: Error): void }>;
}

/** Whole batches go to the worker with the least to do. A worker that dies fails its batches and the pool. */
function threadPool(count: number, start: WorkerStart): Pool {
  let broken: Error | undefined;
  let nextId = 0;

  const die = (member: Member, error: Error): void => {
    broken ??= error;
    for (const { reject } of member.pending.values()) reject(error);
    member.pending.clear();
  };

  const hire = (): Member => {
    const thread = startWorker("data-worker", "data", start);
    const { worker } = thread;
    const member: Member = { thread, pending: new Map() };
    const lost = (what: string, cause?: unknown) =>
      die(member, broken ?? new TesseraeError("runtime", `a data worker stopped: ${what}`, { cause }));
    worker.on("message", ({ id, pixels, error }: WorkerReply) => {
      const task = member.pending.get(id);
      member.pending.delete(id);
      if (member.pending.size === 0) thread.busy(false);
      if (error !== undefined) task?.reject(new TesseraeError("internal", `a data worker failed: ${error}`));
      else task?.resolve(pixels);
    });
    worker.on("error", (error) => lost(error instanceof Error ? error.message : String(error), error));
    worker.on("messageerror", (error) => lost("a message could not be read", error));
    worker.on("exit", (code) => lost(`exit code ${code}`));
    return member;
  };

  const members = Array.from({ length: count }, hire);
  return {
    run(job) {
      if (broken) return { result: Promise.reject(broken), cancel: () => {} };
      const member = members.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
      const id = nextId++;
      const send = (request: WorkerRequest) => member.thread.worker.postMessage(request);
      const result = new Promise<BatchPixels | undefined>((resolve, reject) => {
        member.pending.set(id, { resolve, reject });
        member.thread.busy(true);
        send({ id, job });
      });
      return {
        result,
        cancel: () => {
          if (member.pending.has(id)) send({ id, cancel: true });
        },
      };
    },
    async close() {
      broken ??= closed();
      await Promise.all(members.map(({ thread }) => thread.close()));
    },
  };
}

function check({ dataset, batchSize, workers, prefetch, inChans = 3, transform }: LoaderOptions): 1 | 3 {
  const whole = (value: number, least: number, name: string) => {
    if (!Number.isInteger(value) || value < least) {
      throw new TesseraeError("usage", `${name} ${value} is not a whole number of ${least} or more`);
    }
  };
  whole(batchSize, 1, "batch size");
  whole(workers, 0, "workers");
  if (prefetch !== undefined) whole(prefetch, 1, "prefetch");
  checkTransform(transform);
  if (dataset.samples.length === 0) throw new TesseraeError("data", "no images", { where: dataset.root });
  if (inChans !== 1 && inChans !== 3) {
    throw new TesseraeError("usage", `${inChans} input channels: images have 3, or 1 for grey`);
  }
  return inChans;
}

/** The cache's memory, or none where there is not that much to be had, or nothing to decode. */
function cacheMemory({ samples, files = [] }: ImageDataset, bytes: number): PixelCacheMemory | undefined {
  const raw = samples.every(({ place }) => place && files[place.file].kind === "pixels");
  if (raw || !(bytes > 0)) return undefined;
  try {
    return allocatePixelCache(samples.length, bytes);
  } catch {
    return undefined;
  }
}

/**
 * Batches of a dataset's samples. Orders and pixels are a function of (dataset, transform, seed, epoch), whatever
 * the number of workers. Threads and cache are made at the first batch.
 * @throws TesseraeError `usage` for impossible options.
 */
export function createLoader(options: LoaderOptions): Loader {
  const inChans = check(options);
  const { dataset, batchSize, transform, dropLast, seed, workers, strict = false } = options;
  const { prefetch = Math.max(2, 2 * workers), cacheBytes = DEFAULT_CACHE_BYTES } = options;
  const { samples, files = [] } = dataset;
  const orders = epochOrders(dataset, options);
  const total = orders.length;
  if (dropLast && total < batchSize) {
    const what = `${total} images do not fill a batch of ${batchSize}`;
    throw new TesseraeError("usage", what, { where: dataset.root, hint: "Take a smaller batch size" });
  }
  const batchesPerEpoch = dropLast ? Math.floor(total / batchSize) : Math.ceil(total / batchSize);
  const settings: ProducerSettings = { transform, inChans, batchSize, seed };
  const training = transform.kind === "train";
  const skipped = new Map<string, string>();
  let pool: Pool | undefined;
  let isClosed = false;

  const open = (): Pool => {
    if (isClosed) throw closed();
    if (!pool) {
      const start: WorkerStart = { settings, files, cache: cacheMemory(dataset, cacheBytes) };
      pool = workers === 0 ? localPool(start) : threadPool(workers, start);
    }
    return pool;
  };

  const jobOf = (epoch: number, { indices, repeats }: EpochOrder, batch: number): BatchJob => {
    const first = batch * batchSize;
    const count = Math.min(batchSize, total - first);
    // The last places' substitutes come from the start of the order.
    const tries = training && !strict ? Math.min(TRIES, total) : 1;
    const list = Array.from({ length: count + tries - 1 }, (_, i): Draw => {
      const at = (first + i) % total;
      const index = indices[at];
      const { path, place } = samples[index];
      return { index, repeat: repeats[at], path, place };
    });
    return { epoch, count, tries, samples: list };
  };

  const finish = (pixels: BatchPixels, wanted: number): Batch => {
    const { images, indices, failed } = pixels;
    for (const { path, reason } of failed) {
      if (strict) throw new TesseraeError("data", reason, { where: path });
      skipped.set(path, reason);
    }
    const labels = new Int32Array(batchSize).fill(-1);
    let count = 0;
    for (let i = 0; i < batchSize; i++) {
      if (indices[i] < 0) continue;
      labels[i] = samples[indices[i]].label;
      count++;
    }
    if (training && count < wanted) {
      const { path, reason } = failed[failed.length - 1];
      const what = `no image can be read among ${Math.min(TRIES, total)} in a row; the last is ${path}: ${reason}`;
      throw new TesseraeError("data", what, { where: dataset.root });
    }
    return { images, labels, indices, count };
  };

  async function* batches(epoch: number, from: number): AsyncGenerator<Batch, void, undefined> {
    const crew = open();
    const order = orders.order(epoch);
    const ahead: { task: Task; wanted: number }[] = [];
    let next = from;
    const topUp = () => {
      for (; ahead.length < prefetch && next < batchesPerEpoch; next++) {
        const job = jobOf(epoch, order, next);
        const task = crew.run(job);
        // A failure is reported when its batch is asked for, not before.
        task.result.catch(() => {});
        ahead.push({ task, wanted: job.count });
      }
    };
    try {
      for (let batch = from; batch < batchesPerEpoch; batch++) {
        topUp();
        const { task, wanted } = ahead[0];
        const pixels = await task.result;
        if (!pixels) throw closed();
        ahead.shift();
        topUp();
        yield finish(pixels, wanted);
      }
    } finally {
      for (const { task } of ahead) task.cancel();
    }
  }

  return {
    batchesPerEpoch,
    skipped,
    epoch(epoch, from = 0) {
      if (!Number.isInteger(from) || from < 0 || from > batchesPerEpoch) {
        throw new TesseraeError("usage", `batch ${from} is not one of the epoch's ${batchesPerEpoch}`);
      }
      return batches(epoch, from);
    },
    async close() {
      isClosed = true;
      await pool?.close();
    },
  };
}
