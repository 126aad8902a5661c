import { dirname, resolve } from "node:path";
import {
  type FileSystem,
  ioError,
  nodeFileSystem,
  removeStaleTemporaries,
  withTemporary,
  writeDurably,
} from "./file-system.ts";

/**
 * Writes a file so that it holds either what it held or all of `data`, also after a crash: written beside, synced,
 * renamed. The folder must exist. Throws TesseraeError("io").
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | Iterable<Uint8Array>,
  { fs = nodeFileSystem }: { fs?: FileSystem } = {},
): Promise<void> {
  const folder = dirname(resolve(path));
  const chunks = typeof data === "string" ? [new TextEncoder().encode(data)] : data;
  try {
    await removeStaleTemporaries(fs, folder);
    await withTemporary(fs, folder, async (temporary) => {
      await writeDurably(fs, temporary, chunks instanceof Uint8Array ? [chunks] : chunks);
      await fs.rename(temporary, path);
    });
    await fs.syncFolder(folder);
  } catch (error) {
    throw ioError("cannot write the file", error, { where: path });
  }
}
