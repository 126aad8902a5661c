import * as ort from "onnxruntime-node";
import { TesseraeError } from "../errors.ts";
import { decodeProto, joinChunks, type OnnxModel } from "../graph/onnx.ts";
import type { TensorData } from "../graph/types.ts";
import {
  type Backend,
  type LoadOptions,
  NEXT,
  type RunOptions,
  type Session,
  type Tensors,
} from "../runtime/backend.ts";
import { targetOf } from "./ort-blocks.ts";
import { DeviceState, fromOrt, HostState, type OrtState, toOrt } from "./ort-state.ts";

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
  return {
    device,
    target: await targetOf(device),
    load: (model, loadOptions = {}) => load(model, loadOptions, device, options.threads),
    createState: async (tensors) => (keepsState(device) ? new DeviceState(tensors, device) : new HostState(tensors)),
    dispose: async () => {},
  };
}

async function load(model: OnnxModel, options: LoadOptions, device: Device, threads?: number): Promise<Session> {
  try {
    const session = await ort.InferenceSession.create(model.model, {
      executionProviders: [device],
      graphOptimizationLevel: options.optimization ?? "all",
      interOpNumThreads: 1,
      executionMode: "sequential",
      logSeverityLevel: 3,
      enableMemPattern: options.memoryPlan ?? true,
      ...(keepsState(device) && { preferredOutputLocation: stateOnDevice(model.model) }),
      ...(threads && { intraOpNumThreads: threads }),
      ...(options.profile && { enableProfiling: true, profileFilePrefix: options.profile }),
      ...(model.external && {
        externalData: [{ path: model.external.location, data: joinChunks(model.external.chunks) }],
      }),
    });
    return new OrtSession(session, options.profile !== undefined);
  } catch (cause) {
    throw new TesseraeError("runtime", `the runtime refused the program: ${reason(cause)}`, { cause });
  }
}

/** WebGPU keeps outputs in its own buffers; the other providers hand them back to the host. */
const keepsState = (device: Device): boolean => device === "webgpu";

/** Every output that is a next state stays on the device, the rest comes back. */
const stateOnDevice = (model: Uint8Array) =>
  Object.fromEntries(
    (decodeProto(model).graph?.output ?? []).map(
      ({ name }) => [name, name.startsWith(NEXT) ? "gpu-buffer" : "cpu"] as const,
    ),
  );

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];

class OrtSession implements Session {
  readonly #session: ort.InferenceSession;
  readonly #profiling: boolean;

  constructor(session: ort.InferenceSession, profiling: boolean) {
    this.#session = session;
    this.#profiling = profiling;
  }

  async run(feeds: Tensors, { state, commit }: RunOptions = {}): Promise<Map<string, TensorData>> {
    const store = state as OrtState | undefined;
    const inputs: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const given = feeds.get(name);
      const value = given ? toOrt(given) : store?.current(name);
      if (!value) throw new TesseraeError("internal", `no value for the input ${name}`);
      inputs[name] = value;
    }
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const name of this.#session.outputNames)
      fetches[name] = (name.startsWith(NEXT) && store?.target(name.slice(NEXT.length))) || null;
    const results = await this.#session.run(inputs, fetches);
    const outputs = new Map<string, TensorData>();
    const next = new Map<string, ort.Tensor>();
    for (const [name, value] of Object.entries(results)) {
      if (store && name.startsWith(NEXT)) next.set(name.slice(NEXT.length), value as ort.Tensor);
      else outputs.set(name, fromOrt(value as ort.Tensor));
    }
    store?.settle(next, !commit || Boolean(outputs.get(commit)?.data[0]));
    return outputs;
  }

  async dispose(): Promise<void> {
    if (this.#profiling) this.#session.endProfiling();
    await this.#session.release();
  }
}
