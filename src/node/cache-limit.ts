import { readdir, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { TesseraeError } from "../errors.ts";

const VARIABLE = "TESSERAE_CACHE_LIMIT";
const MIB = 2 ** 20;

/** Bytes that one kind of kept files may take: TESSERAE_CACHE_LIMIT in MiB, else 4096 MiB. Throws TesseraeError("usage"). */
export function cacheLimit(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const text = env[VARIABLE];
  if (!text) return 4096 * MIB;
  if (!/^\d+$/.test(text))
    throw new TesseraeError("usage", `${VARIABLE} is a number of MiB, not ${JSON.stringify(text)}`);
  return Number(text) * MIB;
}

/**
 * Removes the files of a folder that were used least recently until the rest takes at most `limit` bytes; `newest`, whose
 * extension they have, stays in any case. When a file was used is its time of change: who reads one sets it. What another process
 * removes meanwhile, or holds open where that forbids it, is passed over.
 */
export async function makeRoom(folder: string, limit: number, newest: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    names
      .filter((name) => extname(name) === extname(newest) && name !== newest)
      .map((name) =>
        stat(join(folder, name)).then(
          ({ size, mtimeMs }) => ({ name, size, mtimeMs }),
          () => undefined,
        ),
      ),
  );
  const own = await stat(join(folder, newest)).catch(() => undefined);
  let total = own?.size ?? 0;
  for (const { name, size } of files.filter((f) => f !== undefined).sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    total += size;
    if (total > limit) await rm(join(folder, name), { force: true }).catch(() => {});
  }
}
