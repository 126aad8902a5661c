import { lstat, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorIn, TesseraeError } from "../errors.ts";
import { type Imported, type ImportOptions, importOnnx } from "../models/import-onnx.ts";
import { externalLocations } from "../onnx/external.ts";
import { ioError } from "./file-system.ts";

/**
 * Imports an ONNX file and the files beside it that hold its weights. Those are read only where they lie in the model's
 * own folder or below, as files themselves: throws TesseraeError("weights") for a path that leaves it and for links.
 */
export async function importFile(path: string, options: Omit<ImportOptions, "files"> = {}): Promise<Imported> {
  const bytes = await readFile(path).catch((error) => {
    throw ioError("cannot read the model", error, { where: path });
  });
  return importBytes(new Uint8Array(bytes), path, options);
}

/** The same for bytes that were read already, of the file at `path`. */
export async function importBytes(
  bytes: Uint8Array,
  path: string,
  options: Omit<ImportOptions, "files"> = {},
): Promise<Imported> {
  try {
    return importOnnx(bytes, { ...options, files: await readExternal(bytes, path) });
  } catch (error) {
    throw errorIn(error, path);
  }
}

/**
 * The files that hold weights of a model beside it, by the location that it names. Throws TesseraeError("weights") for
 * one outside the model's folder and for links.
 */
export async function readExternal(bytes: Uint8Array, path: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const location of externalLocations(bytes)) files.set(location, await readBeside(dirname(path), location));
  return files;
}

/** A file below a folder, none of whose path is a link. */
async function readBeside(folder: string, location: string): Promise<Uint8Array> {
  let at = folder;
  for (const part of location.split("/")) {
    at = join(at, part);
    const info = await lstat(at).catch((error) => {
      throw ioError("cannot read the model's external data", error, { where: at });
    });
    if (info.isSymbolicLink())
      throw new TesseraeError("weights", `its external data ${JSON.stringify(location)} is a link`);
    if (!info.isFile() && !info.isDirectory())
      throw new TesseraeError("weights", `its external data ${JSON.stringify(location)} is no file`);
  }
  const bytes = await readFile(at).catch((error) => {
    throw ioError("cannot read the model's external data", error, { where: at });
  });
  return new Uint8Array(bytes);
}
