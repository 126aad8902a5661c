import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isCheckpointFolder, manifestFile } from "../train/checkpoint.ts";
import { ioError } from "./file-system.ts";
import { WEIGHT_FILES } from "./weight-files.ts";

/** What lies at a path, and the path that is to be read. */
export interface Source {
  /** "run": run folders too that hold nothing; "folder": the Hub's layout; "file": weights alone. */
  readonly kind: "onnx" | "run" | "checkpoint" | "folder" | "file";
  readonly path: string;
}

/** Tells what lies at a path by its names alone. Throws TesseraeError("io"). */
export async function sourceAt(path: string): Promise<Source> {
  const names = await namesIn(path);
  if (!names) return { kind: WEIGHT_FILES.test(path) ? "file" : "onnx", path };
  if (names.includes(manifestFile)) return { kind: "checkpoint", path };
  if (names.some(isCheckpointFolder)) return { kind: "run", path };
  if (names.some((name) => WEIGHT_FILES.test(name))) return { kind: "folder", path };
  const exports = names.filter((name) => /\.onnx$/i.test(name));
  return exports.length === 1 ? { kind: "onnx", path: join(path, exports[0]) } : { kind: "run", path };
}

/** What a folder holds; undefined for a file. */
async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    return (await stat(path)).isDirectory() ? await readdir(path) : undefined;
  } catch (error) {
    throw ioError("cannot open the model", error, { where: path });
  }
}
