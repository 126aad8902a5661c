import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { TesseraeError } from "../errors.ts";
import { isRunning, startOf } from "./process-identity.ts";

export interface OpenFile {
  /** Reads on from where the last read ended; 0 at the end of the file. */
  read(into: Uint8Array): Promise<number>;
  /** Appends; returns how many bytes were taken. */
  write(bytes: Uint8Array): Promise<number>;
  size(): Promise<number>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The few calls that durable writing needs, so that tests can make each of them fail. Errors are Node's, with `code`. */
export interface FileSystem {
  makeFolder(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** "wx" creates and refuses an existing file, "w" empties it, "a" goes on at its end. */
  open(path: string, flags: "r" | "wx" | "w" | "a"): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  /** A file or a whole folder; nothing where there is none. */
  remove(path: string): Promise<void>;
  /** Makes created, renamed and removed entries durable. */
  syncFolder(path: string): Promise<void>;
}

const openFile = (handle: FileHandle): OpenFile => ({
  read: async (into) => (await handle.read(into)).bytesRead,
  write: async (bytes) => (await handle.write(bytes)).bytesWritten,
  size: async () => (await handle.stat()).size,
  sync: () => handle.sync(),
  close: () => handle.close(),
});

export const nodeFileSystem: FileSystem = {
  makeFolder: async (path) => {
    try {
      await mkdir(path); // first, since the recursive one calls a read-only disk ENOENT
    } catch (error) {
      if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EEXIST") throw error;
      await mkdir(path, { recursive: true });
    }
  },
  list: (path) => readdir(path),
  open: async (path, flags) => openFile(await open(path, flags)),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
  syncFolder: async (path) => {
    if (process.platform === "win32") return; // Windows cannot open a folder
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } catch (error) {
      // Some network file systems have no such call.
      if (!["EINVAL", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    } finally {
      await handle.close();
    }
  },
};

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EROFS", "the file system is read-only"],
  ["EACCES", "no permission"],
  ["EPERM", "no permission"],
  ["ENOENT", "no such file or folder"],
  ["ENOTDIR", "a part of the path is not a folder"],
  ["EISDIR", "it is a folder"],
  ["EIO", "the disk reports an error"],
  ["EMFILE", "too many open files"],
]);

export const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

/** A system call's failure as one line: "where: what: the disk is full (ENOSPC). hint". */
export function ioError(what: string, cause: unknown, { where, hint }: { where: string; hint?: string }): Error {
  if (cause instanceof TesseraeError) return cause;
  const code = errorCode(cause) ?? "";
  const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  const reason = reasons.has(code) ? `${reasons.get(code)} (${code})` : message;
  return new TesseraeError("io", `${what}: ${reason}`, { where, hint, cause });
}

export interface Written {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

const blockBytes = 8 * 2 ** 20;

/** Blocks of at most 8 MiB: large chunks cut, small ones gathered. */
function* blocks(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const gathered = new Uint8Array(2 ** 20);
  let filled = 0;
  for (const chunk of chunks) {
    if (filled > 0 && filled + chunk.byteLength > gathered.byteLength) {
      yield gathered.subarray(0, filled);
      filled = 0;
    }
    if (chunk.byteLength <= gathered.byteLength) {
      gathered.set(chunk, filled);
      filled += chunk.byteLength;
    } else {
      for (let at = 0; at < chunk.byteLength; at += blockBytes) yield chunk.subarray(at, at + blockBytes);
    }
  }
  if (filled > 0) yield gathered.subarray(0, filled);
}

/** Appends all of the bytes. */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const taken = await file.write(bytes.subarray(at));
    if (taken === 0) throw new Error("the file takes no more bytes");
    at += taken;
  }
}

/** Creates a file, streams the chunks into it, hashing, and returns when they are on the disk. */
export async function writeDurably(fs: FileSystem, path: string, chunks: Iterable<Uint8Array>): Promise<Written> {
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await fs.open(path, "wx");
  let closed = false;
  try {
    for (const block of blocks(chunks)) {
      hash.update(block);
      await writeAll(file, block);
      bytes += block.byteLength;
    }
    await file.sync();
    closed = true;
    await file.close();
  } finally {
    if (!closed) await file.close().catch(() => {});
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Reads a whole file and hashes it; undefined where `accepts` refuses its size. */
export async function readHashed(
  fs: FileSystem,
  path: string,
  accepts: (size: number) => boolean,
): Promise<{ data: Uint8Array; sha256: string } | undefined> {
  const file = await fs.open(path, "r");
  try {
    const size = await file.size();
    if (!accepts(size)) return undefined;
    const data = new Uint8Array(size);
    const hash = createHash("sha256");
    for (let at = 0; at < size; ) {
      const block = data.subarray(at, at + blockBytes);
      const read = await file.read(block);
      if (read === 0) return undefined; // shortened meanwhile
      hash.update(block.subarray(0, read));
      at += read;
    }
    return { data, sha256: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

const temporaryPattern = /^\.tesserae-tmp-(\d+)-([0-9a-f.]+)-[0-9a-f]{16}$/;
const ownTemporaries = new Set<string>();

/**
 * Calls `use` with the path of a hidden sibling that is not there yet; whatever `use` leaves there is removed.
 * A killed process leaves it behind: `removeStaleTemporaries` finds it by the process in its name.
 */
export async function withTemporary<T>(fs: FileSystem, folder: string, use: (path: string) => Promise<T>): Promise<T> {
  const name = `.tesserae-tmp-${process.pid}-${startOf(process.pid)}-${randomBytes(8).toString("hex")}`;
  ownTemporaries.add(name);
  try {
    return await use(join(folder, name));
  } finally {
    await fs.remove(join(folder, name)).catch(() => {});
    ownTemporaries.delete(name);
  }
}

/** Removes what killed processes left of `withTemporary` in this folder; failures are left for the next time. */
export async function removeStaleTemporaries(fs: FileSystem, folder: string): Promise<void> {
  for (const name of await fs.list(folder).catch(() => [])) {
    const [, pid, start] = temporaryPattern.exec(name) ?? [];
    if (!pid || ownTemporaries.has(name)) continue;
    if (Number(pid) !== process.pid && isRunning(Number(pid), start)) continue;
    await fs.remove(join(folder, name)).catch(() => {});
  }
}
