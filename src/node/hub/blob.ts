import { createHash } from "node:crypto";
import { lstat, statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { type FileSystem, ioError, type OpenFile, writeAll } from "../file-system.ts";
import { type Asked, failureOf } from "./failure.ts";
import { type Answer, drop, type HttpClient, HubError, type Retry, retrying, shown, unreachable } from "./http.ts";

export interface Progress {
  readonly file: string;
  /** Bytes on the disk, those of an earlier try included. */
  readonly received: number;
  /** Absent where the hub does not say. */
  readonly total?: number;
}

export interface BlobJob extends Asked {
  readonly http: HttpClient;
  readonly fs: FileSystem;
  readonly retry: Retry;
  readonly url: string;
  readonly file: string;
  /** git's hash of the file (40 digits), SHA-256 (64), or something else that is only a name. */
  readonly etag: string;
  readonly size?: number;
  /** Where the complete and verified file goes. */
  readonly blob: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly onWarning?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** The file on the hub is not what it was when it was asked for. */
export class Changed extends Error {}

/**
 * Where the bytes gather: a name of ours, since other tools that share the cache append to <etag>.incomplete under
 * locks that we cannot see.
 */
const partialOf = (blob: string): string => `${blob}.tesserae.incomplete`;

/**
 * Downloads into <blob>.tesserae.incomplete, going on where an earlier try ended, verifies size and hash, and renames:
 * `blob` is complete or absent. Throws HubError, TesseraeError("io"), or Changed.
 */
export async function downloadBlob(job: BlobJob): Promise<void> {
  const { fs, blob, file, size } = job;
  const partial = partialOf(blob);
  try {
    const kept = await bytesOf(fs, partial);
    await checkRoom(job, kept);
    await fetchAll(job, partial);
    if (!(await isRight(job, partial))) {
      await fs.remove(partial);
      if (kept === 0) throw wrong(job);
      // What was kept may have been the wrong part.
      job.onWarning?.(`${file} does not have the hash it should have; downloading it anew`);
      await fetchAll(job, partial);
      if (!(await isRight(job, partial))) {
        await fs.remove(partial);
        throw wrong(job);
      }
    }
    await fs.rename(partial, blob);
    await fs.syncFolder(dirname(blob));
  } catch (error) {
    if (error instanceof Changed || job.signal?.aborted) throw error;
    throw ioError(`cannot download ${file}`, error, { where: blob, hint: size ? `It takes ${mebibytes(size)}` : "" });
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const wrong = ({ repo, file, etag }: BlobJob): HubError =>
  new HubError(`refused: the bytes of ${file} do not have the hash ${etag.slice(0, 12)}... that the hub names`, {
    where: repo,
    hint: "Try again; if it stays, something between here and the hub changes the file",
  });

/** Size of a partial file; what is no regular file is removed. */
async function bytesOf(fs: FileSystem, path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return 0;
  if (found.isFile()) return found.size;
  await fs.remove(path);
  return 0;
}

async function checkRoom({ size, blob, file }: BlobJob, kept: number): Promise<void> {
  const disk = await statfs(dirname(blob)).catch(() => undefined);
  if (!disk || size === undefined) return;
  const room = disk.bavail * disk.bsize;
  if (room < size - kept)
    throw new TesseraeError("io", `no room for ${file}: ${mebibytes(size - kept)} needed, ${mebibytes(room)} free`, {
      where: dirname(blob),
      hint: "Make room, or move the cache with HF_HOME or HF_HUB_CACHE",
    });
}

async function fetchAll(job: BlobJob, partial: string): Promise<void> {
  const { fs, signal, retry, onWarning } = job;
  let last = await bytesOf(fs, partial);
  const progressed = () => {
    const more = received > last;
    last = received;
    return more;
  };
  let received = last;
  await retrying(
    async () => {
      received = await bytesOf(fs, partial);
      received = await fetchRest(job, partial, received, (bytes) => {
        received = bytes;
      });
    },
    { retry, signal, progressed, onWarning },
  );
}

/** One request for what is missing; returns the size reached, which is the file's unless an error is thrown. */
async function fetchRest(
  job: BlobJob,
  partial: string,
  kept: number,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const { fs, http, url, size, signal } = job;
  if (size !== undefined && kept === size && kept > 0) return kept;
  const from = size !== undefined && kept > size ? 0 : kept;
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  const answer = await http.send({ method: "GET", url, headers, leave: true, signal });
  try {
    const start = await startOf(job, answer, from, partial);
    const file = await fs.open(partial, start > 0 ? "a" : "w");
    try {
      const end = await append(job, answer, file, start, onBytes);
      await file.sync();
      return end;
    } finally {
      await file.close();
    }
  } finally {
    await drop(answer);
  }
}

/** Where in the file the answer's body begins. */
async function startOf(job: BlobJob, answer: Answer, from: number, partial: string): Promise<number> {
  const { status, header } = answer;
  if (status === 416 && from > 0) {
    await job.fs.remove(partial);
    throw new HubError("the hub has nothing behind what was received; starting anew", { status, passing: true });
  }
  if (status !== 200 && status !== 206) throw failureOf(answer, job);
  checkUnchanged(job, answer);
  if ((header("content-encoding") ?? "identity") !== "identity")
    throw new HubError("sends the file compressed though asked not to", { where: shown(answer.url) });
  if (status === 200) return 0;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header("content-range") ?? "") ?? [];
  const fits = Number(start) === from && (total === "*" || job.size === undefined || Number(total) === job.size);
  if (fits) return from;
  await job.fs.remove(partial);
  throw new HubError("the hub sends another part than the one asked for; starting anew", { passing: from > 0 });
}

/** The hub repeats the file's hash; a store it redirects to has tags of its own. */
function checkUnchanged({ etag }: BlobJob, { fromHub, header }: Answer): void {
  const now = etagOf(header("x-linked-etag") ?? header("etag"));
  if (fromHub && now !== undefined && now !== etag) throw new Changed();
}

/** Without quotes and the mark of a weak one. */
export const etagOf = (text: string | undefined): string | undefined => text?.replace(/^W\//, "").replaceAll('"', "");

async function append(
  { file: name, size, onProgress, signal }: BlobJob,
  { body, url }: Answer,
  file: OpenFile,
  start: number,
  onBytes: (bytes: number) => void,
): Promise<number> {
  let received = start;
  const report = () => {
    onBytes(received);
    onProgress?.({ file: name, received, total: size });
  };
  report();
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch((error) => Promise.reject(unreachable(error, url, signal)));
    if (next.done) break;
    const chunk = next.value as Uint8Array;
    if (size !== undefined && received + chunk.byteLength > size)
      throw new HubError(`sends more than the ${size} bytes of ${name}`, { where: shown(url) });
    await writeAll(file, chunk);
    received += chunk.byteLength;
    report();
  }
  if (size !== undefined && received < size)
    throw new HubError(`${name} ended after ${received} of ${size} bytes`, { where: url.origin, passing: true });
  return received;
}

/** Whether a complete download is what its name says; the hash is of the bytes on the disk. */
async function isRight({ fs, etag, size }: BlobJob, path: string): Promise<boolean> {
  const file = await fs.open(path, "r");
  try {
    const bytes = await file.size();
    if (size !== undefined && bytes !== size) return false;
    const hash = /^[0-9a-f]{64}$/.test(etag)
      ? createHash("sha256")
      : /^[0-9a-f]{40}$/.test(etag)
        ? createHash("sha1").update(`blob ${bytes}\0`) // git's name of a file
        : undefined;
    if (!hash) return true;
    const block = new Uint8Array(2 ** 20);
    for (let read = await file.read(block); read > 0; read = await file.read(block))
      hash.update(block.subarray(0, read));
    return hash.digest("hex") === etag;
  } finally {
    await file.close();
  }
}

/** A name that may stand in a folder of blobs. */
export const isEtag = (text: string): boolean =>
  /^\w[\w.+-]{0,127}$/.test(text) && basename(text) === text && !text.endsWith(".incomplete");
