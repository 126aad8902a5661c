import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../atomic-write.ts";
import { cacheFolder } from "../cache-folder.ts";
import type { Measured } from "./measure.ts";

/** What the speed of a form depends on, beside its shapes. */
export interface Circumstances {
  /** Version of onnxruntime. */
  readonly runtime: string;
  readonly threads: number;
  /** Channels side by side in blocked convolutions. */
  readonly block: number | null;
}

/** Raised when forms of one name compute otherwise, or are measured otherwise, than before. */
const FORMAT = 1;

/** What was measured on this processor, kept in the cache folder. A file that cannot be read counts as none. */
export class FormStore {
  readonly path: string;

  constructor({ runtime, threads, block }: Circumstances, root = cacheFolder()) {
    const facts = [FORMAT, runtime, threads, block, process.platform, process.arch, cpus()[0]?.model];
    const name = createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 24);
    this.path = join(root, "forms", `${name}.json`);
  }

  async read(): Promise<Map<string, Measured>> {
    try {
      const all: unknown = JSON.parse(await readFile(this.path, "utf8"));
      return new Map(
        Object.entries(all as object).filter((entry): entry is [string, Measured] => isMeasured(entry[1])),
      );
    } catch {
      return new Map();
    }
  }

  /** Adds to what is there now; another process's measurements stay. */
  async add(key: string, measured: Measured): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const all = (await this.read()).set(key, measured);
    await writeFileAtomic(this.path, `${JSON.stringify(Object.fromEntries(all), undefined, 1)}\n`);
  }
}

function isMeasured(value: unknown): value is Measured {
  const { form, ms } = (value ?? {}) as Partial<Measured>;
  return (form === null || typeof form === "string") && typeof ms === "object" && ms !== null;
}
