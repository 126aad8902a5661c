import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rm, utimes } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, dirname, join } from "node:path";
import type { PreparedModels } from "../runtime/ort-session.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { cacheFolder } from "./cache-folder.ts";
import { cacheLimit, makeRoom } from "./cache-limit.ts";

const EXTENSION = ".prepared";
const DIGEST = 32;
/** Bytes that all of them may take: some hundred programs. */
const LIMIT = 2 ** 28;

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/**
 * Programs as onnxruntime has rewritten them, kept in the cache folder: loading one again takes a third of the time. Keyed by the
 * program, the runtime's version and the processor; each file begins with the checksum of the rest. Whatever is wrong with a
 * file or the folder, the program is loaded as if nothing had been kept.
 */
export function preparedModels(runtime: string, root = cacheFolder()): PreparedModels {
  const folder = join(root, "programs");
  const facts = JSON.stringify([runtime, process.platform, process.arch, cpus()[0]?.model]);
  const fileOf = (model: Uint8Array, optimization: string): string => {
    const hash = createHash("sha256").update(facts).update(optimization).update(model);
    return join(folder, `${hash.digest("hex").slice(0, 40)}${EXTENSION}`);
  };
  return {
    async find(model, optimization) {
      const file = fileOf(model, optimization);
      const bytes = await readFile(file).catch(() => undefined);
      const kept = bytes && new Uint8Array(bytes.subarray(DIGEST));
      if (!kept || !bytes.subarray(0, DIGEST).equals(sha256(kept))) return undefined;
      const now = new Date();
      await utimes(file, now, now).catch(() => {}); // used now: see makeRoom
      return kept;
    },
    async keep(model, optimization, write) {
      const file = fileOf(model, optimization);
      const draft = join(folder, `.${randomUUID()}.onnx`);
      try {
        await mkdir(dirname(file), { recursive: true });
        await write(draft);
        const bytes = new Uint8Array(await readFile(draft));
        await writeFileAtomic(file, [sha256(bytes), bytes]);
        await makeRoom(folder, Math.min(LIMIT, cacheLimit()), basename(file));
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}
