import * as ort from "onnxruntime-node";
import { TesseraeError } from "../errors.ts";
import type { Backend } from "../runtime/backend.ts";
import { ortBackend } from "../runtime/ort-session.ts";
import { targetOf } from "./ort-blocks.ts";
import { preparedModels } from "./prepared-models.ts";

export type Device = "cpu" | "webgpu" | "cuda" | "dml" | "coreml";

export interface OrtOptions {
  device?: Device;
  /** Threads of one operator; default: all processors. */
  threads?: number;
}

/** Devices this installation can run on. */
export const listDevices = (): string[] =>
  ort
    .listSupportedBackends()
    .filter((b) => b.bundled)
    .map((b) => b.name);

/** Version of the runtime that runs the programs. */
export const runtimeVersion = (): string => ort.env.versions.node ?? ort.env.versions.common;

/** The device, where it can be used; else a TesseraeError that lists those that can. */
export function checkDevice(device: Device = "cpu"): Device {
  const available = listDevices();
  if (available.includes(device)) return device;
  throw new TesseraeError("runtime", `device ${device} is not available here`, {
    hint: `Available: ${available.join(", ")}`,
  });
}

/** onnxruntime-node in the calling thread. `run` blocks it; `createEngine` puts it into a worker. */
export async function createOrtBackend(options: OrtOptions = {}): Promise<Backend> {
  const device = checkDevice(options.device);
  const target = await targetOf(device);
  const prepared = device === "cpu" ? preparedModels(runtimeVersion()) : undefined;
  return ortBackend({ ort, device, provider: device, target, threads: options.threads, writesInto: true, prepared });
}
