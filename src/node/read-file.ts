import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { TesseraeError } from "../errors.ts";
import { errorCode } from "./file-system.ts";

/** A file that is read by place. */
export interface ReadOnlyFile {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** `length` bytes from `at` on; fewer where the file ends before. */
  read(at: number, length: number): Buffer;
  close(): void;
}

/** Throws TesseraeError("data") for a file that cannot be opened, or is none. */
export function openReadOnly(path: string): ReadOnlyFile {
  const fail = (cause: unknown): TesseraeError => {
    const code = errorCode(cause);
    const what = code === "ENOENT" ? "no such file" : `cannot be read (${code ?? String(cause)})`;
    return new TesseraeError("data", what, { where: path, cause });
  };
  let handle: number;
  let info: Stats;
  try {
    info = statSync(path); // first, since opening a pipe waits
    if (!info.isFile()) throw new TesseraeError("data", "not a file", { where: path });
    handle = openSync(path, "r");
  } catch (cause) {
    throw cause instanceof TesseraeError ? cause : fail(cause);
  }
  return {
    path,
    size: info.size,
    read(at, length) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, info.size - at)));
      let got = 0;
      try {
        for (let n = 1; n > 0 && got < bytes.length; got += n)
          n = readSync(handle, bytes, got, bytes.length - got, at + got);
      } catch (cause) {
        throw fail(cause);
      }
      return bytes.subarray(0, got);
    },
    close: () => closeSync(handle),
  };
}
