import type * as Common from "onnxruntime-common";
import { TesseraeError } from "../errors.ts";
import { encodeModel } from "../graph/onnx.ts";
import { program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import type { Backend } from "../runtime/backend.ts";
import { ortBackend } from "../runtime/ort-session.ts";

/** "cpu" is WebAssembly. */
export type WebDevice = "cpu" | "webgpu";

export interface WebOptions {
  /** Default "cpu". */
  readonly device?: WebDevice;
  /** Threads of one operator. Default: half the processors, at most four; always one in a page that is not cross-origin isolated. */
  readonly threads?: number;
  /**
   * Address of the folder that holds onnxruntime-web's files `ort-wasm-simd-threaded*.{mjs,wasm}`, ending in "/". Default:
   * where the bundler puts them.
   */
  readonly assets?: string | URL;
}

/** Devices this browser can run on. */
export async function listWebDevices(): Promise<WebDevice[]> {
  return (await hasWebGpu()) ? ["cpu", "webgpu"] : ["cpu"];
}

/** The part of WebGPU's interface that is asked here. */
interface Gpu {
  requestAdapter(): Promise<object | null>;
}

async function hasWebGpu(): Promise<boolean> {
  const { gpu } = navigator as Navigator & { readonly gpu?: Gpu };
  return Boolean(await gpu?.requestAdapter().catch(() => null));
}

/** The device, where it can be used; else a TesseraeError. */
export async function checkWebDevice(device: WebDevice = "cpu"): Promise<WebDevice> {
  if (device === "cpu") return device; // the GPU is not asked for in vain: browsers warn of it
  const available = await listWebDevices();
  if (available.includes(device)) return device;
  throw new TesseraeError("runtime", `device ${device} is not available in this browser`, {
    hint: `Available: ${available.join(", ")}`,
  });
}

/** An address that is told from the page, whole. */
export const fromPage = (address: string | URL): string =>
  new URL(address, globalThis.document?.baseURI ?? location.href).href;

/** onnxruntime-web; WebGPU has a build of its own, of twice the size. */
const runtimeOf = (device: WebDevice): Promise<typeof Common> =>
  device === "webgpu" ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm");

/**
 * onnxruntime-web in the calling thread, which a run blocks: `createWebEngine` puts it into a worker. The runtime's files
 * come with the first program. Throws TesseraeError("runtime") for a device that is not there.
 */
export async function createWebBackend(options: WebOptions = {}): Promise<Backend> {
  const device = await checkWebDevice(options.device);
  const ort = await runtimeOf(device);
  const { wasm } = ort.env;
  if (options.assets !== undefined) wasm.wasmPaths = fromPage(options.assets);
  wasm.numThreads = globalThis.crossOriginIsolated ? options.threads : 1;
  const provider = device === "webgpu" ? "webgpu" : "wasm";
  // The processor's blocked layout and chunks that fit its cache are for native code.
  const backend = ortBackend({ ort, device, provider, target: {}, writesInto: false });
  return device === "webgpu" ? anchored(backend) : backend;
}

/**
 * The runtime lets go of the GPU with its last session and traps on tensors that outlive it: one small session stays until
 * the backend is disposed.
 */
async function anchored(backend: Backend): Promise<Backend> {
  const copied = program("anchor", new Map([["y", input("x", "float32", [1])]]));
  const anchor = await backend.load(encodeModel(copied));
  return { ...backend, dispose: () => anchor.dispose() };
}
