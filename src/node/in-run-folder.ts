import type { LockFile } from "./lock-file.ts";
import { makeRunFolder } from "./run-folder.ts";
import { acquireRunLock } from "./run-lock.ts";

/** Runs `use` in a run's folder, which no other process writes meanwhile. What fails takes back what it made. */
export async function inRunFolder<T>(output: string, use: () => Promise<T>): Promise<T> {
  const folder = await makeRunFolder(output);
  let lock: LockFile | undefined;
  try {
    lock = acquireRunLock(output);
    return await use();
  } catch (error) {
    if (lock) await folder.removeFiles();
    lock?.release();
    await folder.removeFolders();
    throw error;
  } finally {
    lock?.release();
  }
}
