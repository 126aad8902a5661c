import { Worker } from "node:worker_threads";
import type { Backend } from "../runtime/backend.ts";
import { EngineClient, engineBackend } from "../runtime/engine-client.ts";
import type { EngineReply } from "../runtime/engine-protocol.ts";
import { checkDevice, type OrtOptions } from "./ort.ts";
import { targetOf } from "./ort-blocks.ts";
import { workerUrl } from "./worker-url.ts";

/** onnxruntime-node in a worker of its own, so that the caller's thread stays alive while a program runs. */
export async function createEngine(options: OrtOptions = {}): Promise<Backend> {
  const device = checkDevice(options.device);
  const worker = new Worker(workerUrl("engine-worker"), { workerData: options, name: "tesserae-engine" });
  worker.unref();
  const client = new EngineClient({
    post: (request, transfer) => worker.postMessage(request, transfer),
    busy: (waits) => (waits ? worker.ref() : worker.unref()),
    close: async () => void (await worker.terminate()),
  });
  worker.on("message", (reply: EngineReply) => client.settle(reply));
  worker.on("error", (cause) =>
    client.fail(`the engine stopped: ${cause instanceof Error ? cause.message : cause}`, cause),
  );
  worker.on("exit", () => client.fail("the engine was closed"));
  return engineBackend(client, { device, target: await targetOf(device) });
}
