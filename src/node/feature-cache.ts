import { createHash } from "node:crypto";
import { mkdir, readFile, stat, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ImageDataset } from "../data/dataset.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { cacheFolder } from "./cache-folder.ts";
import { cacheLimit, makeRoom } from "./cache-limit.ts";
import { errorCode } from "./file-system.ts";
import { runtimeVersion } from "./ort.ts";
import { dataFingerprint } from "./sources/fingerprint.ts";

/** Features of the samples that could be read. */
export interface FeatureRows {
  /** [rows.length, dim]. */
  readonly values: Float32Array;
  readonly dim: number;
  /** Index of each row's sample in the data. */
  readonly rows: Int32Array;
}

/** Changes where features of the same weights and pixels would come out otherwise. */
const VERSION = 1;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** SHA-256 of names, types and values. */
export function weightsHash(weights: Weights): string {
  const hash = createHash("sha256");
  for (const [name, { dtype, shape, data }] of weights) {
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`);
    hash.update(bytesOf(data));
  }
  return hash.digest("hex");
}

/** When the files of a data set were last changed: what its fingerprint alone would not notice. */
async function changeTimes({ samples, files = [] }: ImageDataset): Promise<string> {
  const hash = createHash("sha256");
  const paths = [...files.map((f) => f.path), ...samples.flatMap((s) => (s.place ? [] : s.path))];
  for (let first = 0; first < paths.length; first += 64) {
    const times = paths.slice(first, first + 64).map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    );
    hash.update(JSON.stringify(await Promise.all(times)));
  }
  return hash.digest("hex");
}

/** What decides features: data, weights, model, image size and preprocessing. */
export async function featureKey(dataset: ImageDataset, spec: ModelSpec, weights: Weights): Promise<string> {
  const { name, options, preprocessing, inputShape } = spec;
  const facts = [
    VERSION,
    runtimeVersion(),
    [await dataFingerprint(dataset), await changeTimes(dataset)],
    weightsHash(weights),
    [name, options, preprocessing, inputShape],
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 40);
}

const fileOf = (key: string, folder: string): string => join(folder, "features", `${key}.safetensors`);

const checksum = (values: Float32Array, rows: Int32Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(bytesOf(values)).update(bytesOf(rows)).digest());

/** Features that were kept under a key: undefined where there are none, "damaged" where the file is not what was written. */
export async function cachedFeatures(
  key: string,
  folder = cacheFolder(),
): Promise<FeatureRows | "damaged" | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(fileOf(key, folder)));
  } catch (error) {
    return errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR" ? undefined : "damaged";
  }
  try {
    const tensors = readSafetensors(bytes);
    const [values, rows, sum] = ["values", "rows", "sha256"].map((name) => tensors.get(name));
    if (!(values?.data instanceof Float32Array && rows?.data instanceof Int32Array && sum)) return "damaged";
    if (`${bytesOf(sum.data)}` !== `${checksum(values.data, rows.data)}`) return "damaged";
    const now = new Date();
    await utimes(fileOf(key, folder), now, now).catch(() => {}); // used now: see makeRoom
    return { values: values.data, dim: values.shape[1], rows: rows.data };
  } catch {
    return "damaged";
  }
}

/**
 * Keeps features; of several processes that do so the last one's file stays, whole. Features that were used least recently
 * make room where all take more than `limit` bytes. Throws TesseraeError("io").
 */
export async function keepFeatures(
  key: string,
  { values, dim, rows }: FeatureRows,
  { folder = cacheFolder(), limit = cacheLimit() }: { folder?: string; limit?: number } = {},
): Promise<void> {
  const file = fileOf(key, folder);
  await mkdir(dirname(file), { recursive: true });
  const tensors = new Map([
    ["values", { dtype: "float32" as const, shape: [rows.length, dim], data: values }],
    ["rows", { dtype: "int32" as const, shape: [rows.length], data: rows }],
    ["sha256", { dtype: "uint8" as const, shape: [32], data: checksum(values, rows) }],
  ]);
  await writeFileAtomic(file, writeSafetensors(tensors));
  await makeRoom(dirname(file), limit, basename(file));
}
