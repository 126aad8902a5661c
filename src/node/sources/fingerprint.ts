import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { relative } from "node:path";
import type { ImageDataset } from "../../data/dataset.ts";

/** Calls of `stat` at a time. */
const AT_ONCE = 64;

/**
 * What a dataset is, as 32 hexadecimal digits: a hash of its classes, and of each sample's name (relative to the
 * root), label, weight, and size or place within its file, and of the sizes of such files. No content is read: a file
 * changed to another of the same size and name goes unnoticed. A copy elsewhere has the same fingerprint.
 */
export async function dataFingerprint(dataset: ImageDataset): Promise<string> {
  const { classes, samples, root, files = [] } = dataset;
  const hash = createHash("sha256");
  const add = (...values: unknown[]) => hash.update(`${JSON.stringify(values)}\n`);
  const from = (path: string): string => relative(root, path).replaceAll("\\", "/");
  add("tesserae data 1", classes);
  for (const { path, bytes, kind } of files) add(from(path), bytes, kind);
  for (let first = 0; first < samples.length; first += AT_ONCE) {
    const some = samples.slice(first, first + AT_ONCE);
    const sizes = await Promise.all(
      some.map(async ({ path, place }) => {
        if (place) return [place.file, place.at, place.length];
        return [
          await stat(path).then(
            ({ size }) => size,
            () => -1,
          ),
        ];
      }),
    );
    some.forEach(({ path, label, weight = 1 }, i) => {
      add(from(path), label, weight, ...sizes[i]);
    });
  }
  return hash.digest("hex").slice(0, 32);
}
