import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, open, readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { errorCode, ioError } from "../file-system.ts";
import { CONFIG_FILE, isRunFolder } from "../run-folder.ts";

/** A run folder that the studio may read. Requests name it by `id` and never by a path. */
export interface Place {
  readonly id: string;
  readonly name: string;
  /** Without links. */
  readonly path: string;
}

/** A file that is larger is not read whole. */
const MOST_BYTES = 64 * 2 ** 20;

/** Run folders and folders of run folders to look into. Throws TesseraeError("usage" | "io") for a path that is neither. */
export async function checkRoots(paths: readonly string[]): Promise<string[]> {
  const roots: string[] = [];
  for (const path of paths) {
    const found = await stat(path).catch((error) => {
      if (errorCode(error) === "ENOENT")
        throw new TesseraeError("usage", "there is no such folder", {
          where: path,
          hint: "Name a run folder, or a folder of run folders as `tesserae train` leaves in runs/",
        });
      throw ioError("cannot read the folder of runs", error, { where: path });
    });
    if (!found.isDirectory())
      throw new TesseraeError("usage", "is not a folder", {
        where: path,
        hint: "Name a run folder or a folder of them",
      });
    roots.push(await realpath(path));
  }
  return roots;
}

const entriesOf = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true }).catch(() => []);

/** Real folders inside a root that are runs: a link may lead anywhere, so links are not followed. */
async function runsIn(root: string): Promise<string[]> {
  if (await isRunFolder(root)) return [root];
  const folders = (await entriesOf(root)).filter((e) => e.isDirectory()).map((e) => join(root, e.name));
  const runs = await Promise.all(folders.map(isRunFolder));
  return folders.filter((_, i) => runs[i]).sort();
}

/** The run folders there are now. Of two of the same name the second has a mark of its path in its id. */
export async function findRuns(roots: readonly string[]): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  for (const path of new Set((await Promise.all(roots.map(runsIn))).flat())) {
    const name = basename(resolve(path));
    const mark = createHash("sha256").update(path).digest("hex").slice(0, 6);
    const id = places.has(name) ? `${name}~${mark}` : name;
    places.set(id, { id, name, path });
  }
  return places;
}

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && resolve(folder, way) === path;
};

/** The text of a file of a run; undefined where there is none, where it is a link out of the run, or too large. */
export async function readInside({ path }: Place, name: string): Promise<string | undefined> {
  const bytes = await bytesInside({ path }, name, 0);
  return bytes?.toString("utf8");
}

/** Bytes of a run's file from `start` on, at most 64 MiB; undefined as for `readInside`. */
export async function bytesInside(
  { path }: Pick<Place, "path">,
  name: string,
  start: number,
): Promise<Buffer | undefined> {
  try {
    const real = await realpath(join(path, name));
    if (!isInside(path, real)) return undefined;
    const file = await open(real, "r");
    try {
      const info = await file.stat();
      if (!info.isFile()) return undefined;
      const bytes = Buffer.alloc(Math.max(0, Math.min(info.size - start, MOST_BYTES)));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Size and time of change of a run's file; undefined where there is none or it is a link out of the run. */
export async function statInside({ path }: Pick<Place, "path">, name: string) {
  try {
    const real = await realpath(join(path, name));
    return isInside(path, real) ? await stat(real) : undefined;
  } catch {
    return undefined;
  }
}

/** Names in a run's folder and in its checkpoints. */
async function filesOf(path: string): Promise<string[]> {
  const entries = await entriesOf(path);
  const below = await Promise.all(
    entries
      .filter((e) => e.isDirectory())
      .map(async (e) => (await entriesOf(join(path, e.name))).map((b) => join(e.name, b.name))),
  );
  return [...entries.map((e) => e.name), ...below.flat()];
}

/** Throws TesseraeError("io") where something in a run's folder is a link that leads out of it. */
export async function checkLinks({ path, name }: Place): Promise<void> {
  for (const file of await filesOf(path)) {
    const at = join(path, file);
    const info = await lstat(at).catch(() => undefined);
    if (!info?.isSymbolicLink()) continue;
    const real = await realpath(at).catch(() => undefined);
    if (real !== undefined && !isInside(path, real))
      throw new TesseraeError("io", `${file} is a link that leads out of the run's folder`, { where: name });
  }
}

/** Changes when a run's records or weights do. */
export async function versionOf(place: Place): Promise<string> {
  const files = [CONFIG_FILE, "summary.csv", "model.onnx", "per-class.csv"];
  const infos = await Promise.all(files.map((name) => statInside(place, name)));
  return infos.map((info) => (info ? `${info.mtimeMs}:${info.size}` : "-")).join(" ");
}

/** What lies in a run's folder, by name. */
export const namesIn = async ({ path }: Pick<Place, "path">): Promise<string[]> =>
  (await entriesOf(path)).map((entry) => entry.name);
