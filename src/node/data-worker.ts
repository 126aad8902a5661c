import { parentPort, workerData } from "node:worker_threads";
import type { DataFile } from "../data/dataset.ts";
import { openPixelCache, type PixelCacheMemory } from "../data/pixel-cache.ts";
import { type BatchJob, type BatchPixels, batchProducer, type ProducerSettings } from "../data/produce.ts";
import { prepareSharp } from "./decode.ts";
import { openSamples } from "./sample-reader.ts";

export interface WorkerStart {
  settings: ProducerSettings;
  files: readonly DataFile[];
  cache?: PixelCacheMemory;
}

export type WorkerRequest = { id: number; job: BatchJob } | { id: number; cancel: true };

/** `pixels` is absent when the job was cancelled; `error` is a fault of the program, not of a file. */
export interface WorkerReply {
  id: number;
  pixels?: BatchPixels;
  error?: string;
}

if (parentPort) serve(parentPort, workerData as WorkerStart);

function serve(port: NonNullable<typeof parentPort>, { settings, files, cache }: WorkerStart): void {
  prepareSharp();
  const produce = batchProducer(settings, openSamples(files).decode, cache && openPixelCache(cache));
  const cancelled = new Set<number>();
  let queue = Promise.resolve();
  const work = async (id: number, job: BatchJob): Promise<void> => {
    const reply: WorkerReply = { id };
    try {
      reply.pixels = await produce(job, () => cancelled.has(id));
    } catch (error) {
      reply.error = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    cancelled.delete(id);
    port.postMessage(reply, reply.pixels ? [reply.pixels.images.buffer as ArrayBuffer] : []);
  };
  port.on("message", (request: WorkerRequest) => {
    if ("cancel" in request) cancelled.add(request.id);
    else queue = queue.then(() => work(request.id, request.job));
  });
}
