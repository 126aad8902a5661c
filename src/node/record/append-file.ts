import { readFile, truncate } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errorCode, type FileSystem, ioError, nodeFileSystem, type OpenFile, writeAll } from "../file-system.ts";

/** How long what was added may wait in memory, in milliseconds: others read these files while the run goes on. */
const PATIENCE = 1000;

/** A file that grows at its end. It is made by the first bytes. Failures come out of `flush`. */
export class AppendFile {
  readonly #path: string;
  readonly #fs: FileSystem;
  #file?: OpenFile;
  #waiting: Uint8Array[] = [];
  #timer?: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, fs: FileSystem = nodeFileSystem) {
    this.#path = path;
    this.#fs = fs;
  }

  add(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#timer ??= setTimeout(() => this.#write(), PATIENCE).unref();
  }

  /** Resolves when all that was added is durable. Throws TesseraeError("io"), also for an earlier write. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
    await this.#guard(async () => this.#file?.sync());
  }

  /** What could not be written is lost: `flush` tells of it. */
  async close(): Promise<void> {
    this.#write();
    await this.#writing.catch(() => {});
    await this.#file?.close();
    this.#file = undefined;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#writing = this.#writing.then(() => this.#guard(() => this.#append(bytes)));
    this.#writing.catch(() => {}); // reported by `flush`
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (!this.#file) {
      this.#file = await this.#fs.open(this.#path, "a");
      await this.#fs.syncFolder(dirname(resolve(this.#path)));
    }
    await writeAll(this.#file, bytes);
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw ioError("cannot write the record of the run", error, { where: this.#path });
    }
  }
}

/** The bytes of a file; none where there is no file. */
export async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return Buffer.alloc(0);
    throw ioError("cannot read the record of the run", error, { where: path });
  }
}

/** Cuts a file back to its first `size` bytes; nothing where it has no more. */
export async function cut(path: string, size: number): Promise<void> {
  try {
    await truncate(path, size);
  } catch (error) {
    throw ioError("cannot cut the record of the run", error, { where: path });
  }
}
