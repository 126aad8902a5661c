import { lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { TesseraeError } from "../errors.ts";
import {
  errorCode,
  type FileSystem,
  ioError,
  nodeFileSystem,
  removeStaleTemporaries,
  withTemporary,
} from "./file-system.ts";

export interface WholeFolderOptions {
  /**
   * The files, with slashes, that a folder which is there may hold and lose, or undefined where it is none of ours. It is
   * not asked of an empty folder.
   */
  readonly replaceable: (folder: string) => Promise<readonly string[] | undefined>;
  readonly fs?: FileSystem;
}

/**
 * Writes a folder that is there whole or not at all: `fill` writes it beside, then it takes the place of an older one. Throws
 * TesseraeError("usage") where the path holds anything but what may be replaced, TesseraeError("io"), and what `fill` throws.
 */
export async function writeWholeFolder(
  path: string,
  fill: (folder: string) => Promise<void>,
  { replaceable, fs = nodeFileSystem }: WholeFolderOptions,
): Promise<void> {
  const folder = resolve(path);
  const there = await checkReplaceable(folder, path, replaceable);
  const parent = dirname(folder);
  try {
    await fs.makeFolder(parent).catch((error) => {
      if (errorCode(error) !== "EEXIST") throw error;
    });
    await removeStaleTemporaries(fs, parent);
    await withTemporary(fs, parent, async (temporary) => {
      await mkdir(temporary);
      await fill(temporary);
      if (there) await replace(fs, temporary, folder);
      else await fs.rename(temporary, folder);
    });
    await fs.syncFolder(parent);
  } catch (error) {
    throw error instanceof TesseraeError ? error : ioError("cannot write the folder", error, { where: path });
  }
}

/** The old folder steps aside first, and comes back where the new one cannot take its place. */
async function replace(fs: FileSystem, from: string, folder: string): Promise<void> {
  await withTemporary(fs, dirname(folder), async (aside) => {
    await fs.rename(folder, aside);
    try {
      await fs.rename(from, folder);
    } catch (error) {
      await fs.rename(aside, folder);
      throw error;
    }
  });
}

/** Whether there is a folder, which may be replaced; throws where something else is there. */
async function checkReplaceable(
  folder: string,
  where: string,
  replaceable: WholeFolderOptions["replaceable"],
): Promise<boolean> {
  const info = await lstat(folder).catch((error) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw ioError("cannot look at the folder", error, { where });
  });
  if (!info) return false;
  const refuse = (what: string, hint = "Name a folder that is not there yet") =>
    new TesseraeError("usage", what, { where, hint });
  if (!info.isDirectory()) throw refuse("is there, and is no folder");
  const files = await filesBelow(folder);
  if (files.length === 0) return true;
  const ours = await replaceable(folder);
  if (!ours) throw refuse("holds files that are not of an earlier export");
  const known = new Set(ours);
  const foreign = files.filter((file) => !known.has(file));
  if (foreign.length > 0)
    throw refuse(
      `holds ${foreign.length === 1 ? "a file that is" : `${foreign.length} files that are`} not of an earlier export, such as ${JSON.stringify(foreign[0])}`,
      "Move it away, or name another folder",
    );
  return true;
}

/** Everything below a folder that is no folder itself, with slashes. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((e) => !e.isDirectory())
    .map((e) =>
      join(e.parentPath, e.name)
        .slice(folder.length + 1)
        .split(sep)
        .join("/"),
    );
}
