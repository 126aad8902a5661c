import type { Backend } from "../runtime/backend.ts";
import { CLOSED, EngineClient, engineBackend } from "../runtime/engine-client.ts";
import type { EngineReply } from "../runtime/engine-protocol.ts";
import { checkDevice, type OrtOptions } from "./ort.ts";
import { targetOf } from "./ort-blocks.ts";
import { startWorker } from "./worker-thread.ts";

/** onnxruntime-node in a worker of its own, so that the caller's thread stays alive while a program runs. */
export async function createEngine(options: OrtOptions = {}): Promise<Backend> {
  const device = checkDevice(options.device);
  const { worker, busy, close } = startWorker("engine-worker", "engine", options);
  const client: EngineClient = new EngineClient({
    post: (request, transfer) => worker.postMessage(request, transfer),
    busy,
    // A thread stopped within a native call takes the process with it.
    close: () => client.idle().then(close),
  });
  worker.on("message", (reply: EngineReply) => client.settle(reply));
  worker.on("error", (cause) =>
    client.fail(`the engine stopped: ${cause instanceof Error ? cause.message : cause}`, cause),
  );
  worker.on("exit", () => client.fail(CLOSED));
  return engineBackend(client, { device, target: await targetOf(device) });
}
