import { mkdir, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import { isCheckpointFolder } from "../train/checkpoint.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { isRecordFile } from "./record/index.ts";

export const CONFIG_FILE = "config.json";
export const MODEL_FILE = "model.onnx";

export const writeConfig = (run: string, config: object): Promise<void> =>
  writeFileAtomic(join(run, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);

export const isRunFolder = (path: string): Promise<boolean> =>
  stat(join(path, CONFIG_FILE)).then(
    (info) => info.isFile(),
    () => false,
  );

/**
 * Makes a run's folder. What comes back undoes it, for a run that fails before its first checkpoint: its files where
 * the folder was empty (while the lock is held), then folders that were made. Throws TesseraeError("io").
 */
export async function makeRunFolder(
  run: string,
): Promise<{ removeFiles: () => Promise<void>; removeFolders: () => Promise<void> }> {
  const made = await mkdir(run, { recursive: true }).catch((cause) => {
    const reason = cause.code === "EEXIST" || cause.code === "ENOTDIR" ? "a file is in the way" : cause.code;
    throw new TesseraeError("io", `the run folder cannot be made (${reason})`, { where: run, cause });
  });
  const empty = (await readdir(run)).length === 0;
  const ignoreFailure = (action: () => Promise<void>) => () => action().catch(() => {}); // what stays in the way stays
  return {
    removeFiles: ignoreFailure(async () => {
      const names = await readdir(run);
      if (!empty || names.some(isCheckpointFolder)) return;
      for (const name of names.filter((n) => n === CONFIG_FILE || isRecordFile(n))) await rm(join(run, name));
    }),
    removeFolders: ignoreFailure(async () => {
      if (made === undefined) return;
      const first = resolve(made);
      for (let folder = resolve(run); folder.length >= first.length; folder = dirname(folder)) await rmdir(folder);
    }),
  };
}

/** The image set that a run was trained on; undefined where the path is no run folder. */
export async function runData(run: string): Promise<string | undefined> {
  const text = await readFile(join(run, CONFIG_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { data } = JSON.parse(text) as { data?: unknown };
    return typeof data === "string" ? data : undefined;
  } catch {
    return undefined;
  }
}
