import { parentPort, workerData } from "node:worker_threads";
import { TesseraeError } from "../errors.ts";
import { serveEngine } from "../runtime/engine-server.ts";
import { createOrtBackend, type OrtOptions } from "./ort.ts";

/** The engine's thread: `session.run` blocks it, and nothing else. */
const port = parentPort;
if (!port) throw new TesseraeError("internal", "the engine runs in a worker");

const serve = serveEngine(createOrtBackend(workerData as OrtOptions), (reply, transfer) =>
  port.postMessage(reply, transfer),
);
port.on("message", serve);
