import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { TesseraeError } from "../errors.ts";
import { errorCode, ioError } from "./file-system.ts";
import { isRunning, startOf } from "./process-identity.ts";

export interface RunLock {
  readonly path: string;
  /** Removes the lock; also done when the process exits. */
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly start: string;
  readonly host: string;
}

const lockName = ".tesserae-lock";
/** A lock without content is being written, or its writer was killed in between. */
const unwrittenLifetimeMs = 5000;

/**
 * Takes a run folder (made if absent) for this process. A lock left by a killed process is taken over; one of another
 * machine is never, since nothing tells whether it is alive. Throws TesseraeError("io") where the folder is in use.
 */
export function acquireRunLock(folder: string): RunLock {
  const path = join(folder, lockName);
  const own: Owner = { pid: process.pid, start: startOf(process.pid), host: hostname() };
  const text = JSON.stringify(own);
  try {
    makeFolder(folder);
    // Twice: a stale lock is moved away in between.
    if (!create(path, text) && !(displaceStale(path) && create(path, text))) throw inUse(folder, path);
  } catch (error) {
    throw ioError("cannot lock the run folder", error, { where: folder });
  }
  const release = () => {
    process.off("exit", release);
    if (read(path) === text) ignoreMissing(() => unlinkSync(path));
  };
  process.once("exit", release);
  return { path, release };
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path); // first, since the recursive one calls a read-only disk ENOENT
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EEXIST") throw error;
    mkdirSync(path, { recursive: true });
  }
}

function create(path: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    ignoreMissing(() => unlinkSync(path));
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

/** True where there is no lock any more. */
function displaceStale(path: string): boolean {
  const text = read(path);
  if (text === undefined) return true;
  if (!isStale(path, text)) return false;
  // Of several processes that see the stale lock one moves it; a slow one may get another's new lock: that goes back.
  const aside = `${path}-${process.pid}`;
  if (!ignoreMissing(() => renameSync(path, aside))) return true;
  const mine = read(aside) === text;
  if (!mine) linkSync(aside, path);
  ignoreMissing(() => unlinkSync(aside));
  return mine;
}

function isStale(path: string, text: string): boolean {
  const owner = parseOwner(text);
  if (owner) return owner.host === hostname() && !isRunning(owner.pid, owner.start);
  try {
    return Date.now() - statSync(path).mtimeMs > unwrittenLifetimeMs;
  } catch {
    return true;
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, start, host } = JSON.parse(text) as Partial<Owner>;
    if (Number.isSafeInteger(pid) && pid! > 0 && typeof start === "string" && typeof host === "string")
      return { pid: pid!, start, host };
  } catch {}
  return undefined;
}

function inUse(folder: string, path: string): TesseraeError {
  const owner = parseOwner(read(path) ?? "");
  const elsewhere = owner && owner.host !== hostname();
  const process = owner ? `process ${owner.pid}${elsewhere ? ` on ${owner.host}` : ""}` : "another process";
  return new TesseraeError("io", `run folder is in use by ${process}`, {
    where: folder,
    hint: elsewhere
      ? `Stop it or choose another folder; if it is gone, delete ${path}`
      : "Stop it or choose another folder",
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** False where the file was not there. */
function ignoreMissing(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
