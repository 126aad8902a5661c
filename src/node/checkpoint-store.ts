import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import {
  type Better,
  byMetric,
  bySequence,
  type CheckpointInfo,
  type CheckpointManifest,
  type CheckpointState,
  checkpointFolder,
  checkpointName,
  decodeManifest,
  encodeManifest,
  type FileRecord,
  isCheckpointFolder,
  type LoadedCheckpoint,
  manifestFile,
  modelFile,
  optimizerFile,
  superfluous,
} from "../train/checkpoint.ts";
import type { HostTensor } from "../weights/host-tensor.ts";
import { readSafetensors, writeSafetensors } from "../weights/safetensors.ts";
import {
  errorCode,
  type FileSystem,
  ioError,
  nodeFileSystem,
  readHashed,
  removeStaleTemporaries,
  withTemporary,
  writeDurably,
} from "./file-system.ts";

export interface CheckpointStoreOptions {
  /** How many of the newest to keep; the best is kept besides. */
  history: number;
  /** Which metrics are better; "higher" where left out. */
  better?: Better;
  /** Told in one line what went wrong without failing a save: an old checkpoint that could not be deleted. */
  onWarning?: (line: string) => void;
  /** Only looks: leftovers of dead processes stay. */
  readOnly?: boolean;
  fs?: FileSystem;
}

/**
 * The checkpoints of a folder that one process at a time writes (see `acquireRunLock`). Calls are served one by one.
 * Failures to read or write are TesseraeError("io"), damaged checkpoints TesseraeError("weights").
 */
export interface CheckpointStore {
  /**
   * Returns the new checkpoint's path when it is durable, having deleted those it makes superfluous. The tensors must
   * not change meanwhile. A failed save leaves the earlier checkpoints as they were.
   */
  save(state: CheckpointState): Promise<string>;
  /** The one saved last that is intact; undefined where none has been saved. Throws where all are damaged. */
  latest(): Promise<LoadedCheckpoint | undefined>;
  /** The one of the best metric that is intact; undefined where none has a metric. */
  best(): Promise<LoadedCheckpoint | undefined>;
  /** Oldest first, by their manifests: the tensors are not read. */
  list(): Promise<CheckpointInfo[]>;
  load(path: string): Promise<LoadedCheckpoint>;
  /**
   * Saves a checkpoint of another folder, and the one it goes back to, into this one. Returns it as it now is; one of
   * this folder as it was.
   */
  adopt(checkpoint: LoadedCheckpoint): Promise<LoadedCheckpoint>;
}

const maxManifestBytes = 64 * 2 ** 20;
const textHash = (text: string) => createHash("sha256").update(text).digest("hex");
const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split("\n")[0];

const damaged = (where: string, what: string) => new TesseraeError("weights", what, { where });

/** A file's bytes, checked against its record where there is one. A missing file of a checkpoint is damage. */
async function readChecked(fs: FileSystem, path: string, record?: FileRecord): Promise<Uint8Array> {
  let read: Awaited<ReturnType<typeof readHashed>>;
  try {
    read = await readHashed(fs, path, (size) => (record ? size === record.bytes : size <= maxManifestBytes));
  } catch (error) {
    if (errorCode(error) === "ENOENT") throw damaged(path, "missing");
    throw ioError("cannot read the checkpoint", error, { where: path });
  }
  if (!read) throw damaged(path, record ? `damaged: it does not have its ${record.bytes} bytes` : "damaged: too large");
  if (record && read.sha256 !== record.sha256) throw damaged(path, "damaged: its SHA-256 is not the recorded one");
  return read.data;
}

async function readManifest(fs: FileSystem, folder: string): Promise<CheckpointManifest> {
  const path = join(folder, manifestFile);
  return decodeManifest(new TextDecoder().decode(await readChecked(fs, path)), textHash, path);
}

const infoOf = (path: string, { step, sequence, metric, anchor }: CheckpointManifest): CheckpointInfo => ({
  path,
  step,
  sequence,
  ...(metric !== undefined && { metric }),
  ...(anchor !== undefined && { anchor }),
});

/** Loads one checkpoint's folder, every byte checked. Throws TesseraeError("weights") where damaged, else ("io"). */
export async function loadCheckpoint(
  path: string,
  { fs = nodeFileSystem }: { fs?: FileSystem } = {},
): Promise<LoadedCheckpoint> {
  const manifest = await readManifest(fs, path);
  const tensors = async (name: string, record: FileRecord): Promise<Map<string, HostTensor>> => {
    const file = join(path, name);
    return readSafetensors(await readChecked(fs, file, record), { where: file });
  };
  return {
    ...infoOf(path, manifest),
    model: await tensors(modelFile, manifest.files.model),
    optimizer: await tensors(optimizerFile, manifest.files.optimizer),
    meta: manifest.meta,
    warnings: [],
  };
}

export function createCheckpointStore(folder: string, options: CheckpointStoreOptions): CheckpointStore {
  const { history, better = "higher", onWarning = () => {}, readOnly = false, fs = nodeFileSystem } = options;
  if (!Number.isSafeInteger(history) || history < 1)
    throw new TesseraeError("usage", `checkpoint history must be 1 or more, not ${history}`);

  /** Found damaged by this store: not counted as history, deleted after the next save. */
  const knownDamaged = new Set<string>();
  let lastSequence = 0;
  let cleaned = false;

  async function clean(): Promise<void> {
    if (cleaned || readOnly) return;
    await removeStaleTemporaries(fs, folder);
    cleaned = true;
  }

  async function names(): Promise<string[]> {
    try {
      return (await fs.list(folder)).filter(isCheckpointFolder).sort();
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw ioError("cannot read the folder of checkpoints", error, { where: folder });
    }
  }

  /** All with a readable manifest, oldest first, and a line for each without. */
  async function scan(): Promise<{ found: CheckpointInfo[]; broken: string[] }> {
    const found: CheckpointInfo[] = [];
    const broken: string[] = [];
    for (const name of await names()) {
      const path = join(folder, name);
      try {
        found.push(infoOf(path, await readManifest(fs, path)));
      } catch (error) {
        broken.push(firstLine(error)); // never deleted: it may be of another version, or not ours
      }
    }
    return { found: found.sort(bySequence), broken };
  }

  /** The first of `candidates` that loads. */
  async function firstIntact(candidates: CheckpointInfo[], broken: string[]): Promise<LoadedCheckpoint | undefined> {
    const failures = [...broken];
    for (const { path } of candidates) {
      try {
        const loaded = await loadCheckpoint(path, { fs });
        return { ...loaded, warnings: failures.map((failure) => `${failure}. Using ${basename(path)} instead`) };
      } catch (error) {
        if (error instanceof TesseraeError && error.code === "weights") knownDamaged.add(path);
        failures.push(firstLine(error));
      }
    }
    if (failures.length === 0) return undefined;
    throw new TesseraeError("weights", `no checkpoint can be loaded: ${failures[0]}`, {
      where: folder,
      hint: "Start a new run in another folder, or restore a checkpoint",
    });
  }

  async function freePath(step: number): Promise<string> {
    const taken = new Set(await names());
    let copy = 1;
    while (taken.has(checkpointFolder(step, copy))) copy++;
    return join(folder, checkpointFolder(step, copy));
  }

  async function writeFiles(to: string, state: CheckpointState, sequence: number): Promise<void> {
    const { step, metric, model, optimizer, meta } = state;
    const anchor = state.anchor ? checkpointName(state.anchor) : state.anchor;
    await fs.makeFolder(to);
    const files = {
      model: await writeDurably(fs, join(to, modelFile), writeSafetensors(model, new Map([["format", "pt"]]))),
      optimizer: await writeDurably(fs, join(to, optimizerFile), writeSafetensors(optimizer)),
    };
    const manifest = encodeManifest({ step, sequence, metric, anchor, files, meta }, textHash);
    await writeDurably(fs, join(to, manifestFile), [new TextEncoder().encode(manifest)]);
    await fs.syncFolder(to);
  }

  async function save(state: CheckpointState): Promise<string> {
    if (!Number.isSafeInteger(state.step) || state.step < 0)
      throw new TesseraeError("internal", `not a step to save a checkpoint of: ${state.step}`);
    let path: string;
    try {
      await fs.makeFolder(folder);
      await clean();
      const { found } = await scan();
      lastSequence = Math.max(lastSequence, ...found.map(({ sequence }) => sequence)) + 1;
      path = await freePath(state.step);
      await withTemporary(fs, folder, async (temporary) => {
        await writeFiles(temporary, state, lastSequence);
        await fs.rename(temporary, path);
      });
      await fs.syncFolder(folder);
    } catch (error) {
      const hint = "The earlier checkpoints are untouched";
      throw ioError("cannot save the checkpoint", error, { where: folder, hint });
    }
    await prune();
    return path;
  }

  /** After a save: what fails here is tried again after the next one. */
  async function prune(): Promise<void> {
    try {
      const { found } = await scan();
      const intact = found.filter(({ path }) => !knownDamaged.has(path));
      const deleted = new Set([
        ...superfluous(intact, { history, better }),
        ...found.filter((c) => !intact.includes(c)),
      ]);
      for (const { path } of deleted) await discard(path);
    } catch (error) {
      onWarning(ioError("cannot delete an old checkpoint", error, { where: folder }).message);
    }
  }

  /** Renamed away first: a checkpoint half deleted must not look like one. */
  async function discard(path: string): Promise<void> {
    await withTemporary(fs, folder, async (temporary) => {
      await fs.rename(path, temporary);
      await fs.remove(temporary);
    });
  }

  async function adopt(checkpoint: LoadedCheckpoint): Promise<LoadedCheckpoint> {
    const { path, step, model, optimizer, meta, anchor } = checkpoint;
    const from = dirname(path);
    if (resolve(from) === resolve(folder)) return checkpoint;
    const back = anchor ? await loadCheckpoint(join(from, anchor), { fs }).catch(() => undefined) : undefined;
    const own = back && (await save({ ...back, anchor: undefined, metric: undefined }));
    const adopted = { step, model, optimizer, meta, anchor: anchor === null ? null : own && checkpointName(own) };
    return { ...checkpoint, ...adopted, path: await save(adopted) };
  }

  let queue: Promise<unknown> = Promise.resolve();
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = queue.then(action);
    queue = result.catch(() => {});
    return result;
  }

  return {
    save: (state) => inTurn(() => save(state)),
    latest: () =>
      inTurn(async () => {
        await clean();
        const { found, broken } = await scan();
        return firstIntact(found.reverse(), broken);
      }),
    best: () =>
      inTurn(async () => {
        await clean();
        const { found, broken } = await scan();
        return firstIntact(byMetric(found, better), found.length > 0 ? [] : broken);
      }),
    list: () => inTurn(async () => (await scan()).found),
    load: (path) => inTurn(() => loadCheckpoint(path, { fs })),
    adopt: (checkpoint) => inTurn(() => adopt(checkpoint)),
  };
}
