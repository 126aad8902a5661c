import { Worker } from "node:worker_threads";
import { workerUrl } from "./worker-url.ts";

/** A worker that keeps the process alive while its answers are awaited and while it is being closed, and not beyond. */
export interface WorkerThread {
  readonly worker: Worker;
  /** Whether answers are awaited. */
  busy(waits: boolean): void;
  close(): Promise<void>;
}

/** The built worker `file` (see `workerUrl`), called `tesserae-NAME` where threads are listed. */
export function startWorker(file: string, name: string, workerData: unknown): WorkerThread {
  // How `node -e` reads its text is no matter of a worker's file, which is refused with that flag.
  const execArgv = process.execArgv.filter((flag) => !flag.startsWith("--input-type"));
  const worker = new Worker(workerUrl(file), { workerData, name: `tesserae-${name}`, execArgv });
  worker.unref();
  let closing = false;
  return {
    worker,
    busy(waits) {
      // An answer that comes while the thread is being closed must not let the process go before that is done.
      if (closing) return;
      if (waits) worker.ref();
      else worker.unref();
    },
    async close() {
      closing = true;
      await worker.terminate();
    },
  };
}
