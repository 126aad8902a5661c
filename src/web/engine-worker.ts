import type { EngineRequest } from "../runtime/engine-protocol.ts";
import { serveEngine } from "../runtime/engine-server.ts";
import { createWebBackend, type WebOptions } from "./backend.ts";

/** A worker's own side, which the page's types do not have. */
interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** The engine's thread: the first message says how the runtime is set up, the others are requests. */
const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }: MessageEvent<WebOptions>) => {
  const backend = createWebBackend(data);
  backend.catch(() => {}); // every request tells it
  const serve = serveEngine(backend, (reply, transfer) => scope.postMessage(reply, transfer));
  scope.onmessage = ({ data }: MessageEvent<EngineRequest>) => serve(data);
};
