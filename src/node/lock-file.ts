import { closeSync, linkSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { errorCode } from "./file-system.ts";
import { isRunning, startOf } from "./process-identity.ts";

export interface LockFile {
  readonly path: string;
  /** Removes the lock; also done when the process exits. */
  release(): void;
}

export interface LockOwner {
  readonly pid: number;
  readonly start: string;
  readonly host: string;
}

/** A lock without content is being written, or its writer was killed in between. */
const unwrittenLifetimeMs = 5000;

/**
 * Creates the file `path` as a lock of this process; undefined where another holds it, or this process already does.
 * A lock left by a killed process is taken over; one of another machine is never, since nothing tells whether it is
 * alive. Throws the system's error where the file cannot be made.
 */
export function tryLock(path: string): LockFile | undefined {
  const own: LockOwner = { pid: process.pid, start: startOf(process.pid), host: hostname() };
  const text = JSON.stringify(own);
  // Twice: a stale lock is moved away in between.
  if (!create(path, text) && !(displaceStale(path) && create(path, text))) return undefined;
  const release = () => {
    process.off("exit", release);
    if (read(path) === text) ignoreMissing(() => unlinkSync(path));
  };
  process.once("exit", release);
  return { path, release };
}

/** Who holds the lock; undefined where none is held or its owner is not written yet. */
export const lockOwner = (path: string): LockOwner | undefined => parseOwner(read(path) ?? "");

/** Whether a process holds the lock: one of another machine is taken for alive. */
export function isHeld(path: string): boolean {
  const owner = lockOwner(path);
  return owner !== undefined && (owner.host !== hostname() || isRunning(owner.pid, owner.start));
}

/** "process 12", "process 12 on host". */
export const ownerName = (owner: LockOwner | undefined): string =>
  owner ? `process ${owner.pid}${owner.host === hostname() ? "" : ` on ${owner.host}`}` : "another process";

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

function parseOwner(text: string): LockOwner | undefined {
  try {
    const { pid, start, host } = JSON.parse(text) as Partial<LockOwner>;
    if (Number.isSafeInteger(pid) && pid! > 0 && typeof start === "string" && typeof host === "string")
      return { pid: pid!, start, host };
  } catch {}
  return undefined;
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
