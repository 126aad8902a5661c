import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { TesseraeError } from "../errors.ts";
import { errorCode, ioError } from "./file-system.ts";
import { isHeld, type LockFile, lockOwner, ownerName, tryLock } from "./lock-file.ts";

const lockName = ".tesserae-lock";

/**
 * Takes a run folder (made if absent) for this process; a lock left by a killed process is taken over. Throws
 * TesseraeError("io") where the folder is in use.
 */
export function acquireRunLock(folder: string): LockFile {
  const path = join(folder, lockName);
  try {
    makeFolder(folder);
    const lock = tryLock(path);
    if (!lock) throw inUse(folder, path);
    return lock;
  } catch (error) {
    throw ioError("cannot lock the run folder", error, { where: folder });
  }
}

/** Whether a process has taken a run folder. */
export const isInUse = (folder: string): boolean => isHeld(join(folder, lockName));

function makeFolder(path: string): void {
  try {
    mkdirSync(path); // first, since the recursive one calls a read-only disk ENOENT
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EEXIST") throw error;
    mkdirSync(path, { recursive: true });
  }
}

function inUse(folder: string, path: string): TesseraeError {
  const owner = lockOwner(path);
  const elsewhere = owner && owner.host !== hostname();
  return new TesseraeError("io", `run folder is in use by ${ownerName(owner)}`, {
    where: folder,
    hint: elsewhere
      ? `Stop it or choose another folder; if it is gone, delete ${path}`
      : "Stop it or choose another folder",
  });
}
