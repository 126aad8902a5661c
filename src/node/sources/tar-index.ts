import { Header } from "tar/header";
import { Pax } from "tar/pax";
import { TesseraeError } from "../../errors.ts";
import type { ReadOnlyFile } from "../read-file.ts";
import { dataError } from "./source.ts";

/** A file's place within a tar. */
export interface TarEntry {
  path: string;
  at: number;
  size: number;
}

const BLOCK = 512;
/** Headers are small, and so often are the bodies between them: one read serves several. */
const WINDOW = 16 * 1024;
/** Largest body of a header that belongs to the next one: a long name, attributes. */
const MAX_EXTENSION = 2 ** 20;
const FILES = new Set(["File", "OldFile", "ContiguousFile"]);

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/**
 * The files in a tar (ustar, GNU and pax), headers only: bodies are passed over, not read. Links, folders and devices
 * are left out.
 * @throws TesseraeError `data` where a header is damaged or an entry reaches beyond the end.
 */
export function* tarEntries(file: ReadOnlyFile): Generator<TarEntry> {
  const { path: where, size: end } = file;
  let window = { at: 0, bytes: file.read(0, WINDOW) };
  const headerAt = (at: number): Buffer => {
    if (at < window.at || at + BLOCK > window.at + window.bytes.length) {
      window = { at, bytes: file.read(at, WINDOW) };
    }
    return window.bytes.subarray(at - window.at, at - window.at + BLOCK);
  };
  let own: Pax | undefined;
  let global: Pax | undefined;
  if (end === 0) throw dataError(where, "the file is empty (zero bytes)");
  const inPlace = "Shards are plain tar files, read in place";
  if (window.bytes[0] === 0x1f && window.bytes[1] === 0x8b) throw dataError(where, "is compressed by gzip", inPlace);
  for (let at = 0; at < end; ) {
    const bytes = headerAt(at);
    if (bytes.length < BLOCK) throw dataError(where, `truncated: it ends within the header at byte ${at}`);
    const header = parsed(() => new Header(bytes, 0, own, global), where, at);
    if (header.nullBlock) return;
    if (!header.cksumValid) {
      if (at === 0) throw dataError(where, "not a tar file", inPlace);
      throw dataError(where, `damaged: no valid header at byte ${at}`);
    }
    const { size = Number.NaN, path = "" } = header;
    const start = at + BLOCK;
    if (!(Number.isSafeInteger(size) && size >= 0))
      throw dataError(where, `${shown(path)} has no valid size (byte ${at})`);
    if (start + size > end) {
      throw dataError(
        where,
        `truncated: ${shown(path)} at byte ${at} has ${size} bytes, of which ${end - start} are there`,
      );
    }
    const extension = (): string => {
      if (size <= MAX_EXTENSION) return file.read(start, size).toString("utf8");
      throw dataError(where, `a header of ${size} bytes at byte ${at} is too large`);
    };
    if (header.type === "ExtendedHeader" || header.type === "OldExtendedHeader")
      own = parsed(() => Pax.parse(extension(), own), where, at);
    else if (header.type === "GlobalExtendedHeader")
      global = parsed(() => Pax.parse(extension(), global, true), where, at);
    else if (header.type === "NextFileHasLongPath" || header.type === "OldGnuLongPath") {
      own = new Pax({ ...own, path: extension().replace(/\0.*/s, "") });
    } else {
      own = undefined;
      if (FILES.has(header.type)) yield { path, at: start, size };
    }
    at = start + padded(size);
  }
}

/** The library throws at numbers that are none. */
function parsed<T>(parse: () => T, where: string, at: number): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof TesseraeError) throw cause;
    throw new TesseraeError("data", `damaged: no valid header at byte ${at}`, { where, cause });
  }
}

const shown = (path: string): string => JSON.stringify(path.length > 60 ? `${path.slice(0, 60)}...` : path);
