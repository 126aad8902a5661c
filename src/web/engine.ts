import type { Backend } from "../runtime/backend.ts";
import { EngineClient, engineBackend } from "../runtime/engine-client.ts";
import type { EngineReply } from "../runtime/engine-protocol.ts";
import { checkWebDevice, fromPage, type WebOptions } from "./backend.ts";

/**
 * onnxruntime-web in a worker of its own, so that the page stays alive while a program runs. Throws
 * TesseraeError("runtime") for a device that is not there.
 */
export async function createWebEngine(options: WebOptions = {}): Promise<Backend> {
  const device = await checkWebDevice(options.device);
  // Bundlers know a worker by these words.
  const worker = new Worker(new URL("./engine-worker.ts", import.meta.url), {
    type: "module",
    name: "tesserae-engine",
  });
  const client = new EngineClient({
    post: (request, transfer) => worker.postMessage(request, transfer),
    close: async () => worker.terminate(),
  });
  worker.onmessage = ({ data }: MessageEvent<EngineReply>) => client.settle(data);
  worker.onerror = (event) => {
    event.preventDefault();
    client.fail(`the engine stopped: ${event.message || "its file could not be loaded"}`);
  };
  const assets = options.assets === undefined ? undefined : fromPage(options.assets);
  worker.postMessage({ ...options, assets } satisfies WebOptions);
  return engineBackend(client, { device, target: {} });
}
