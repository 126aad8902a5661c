import { extname } from "node:path";
import { TesseraeError } from "../errors.ts";
import { writeNpy } from "../weights/npy.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import type { Embeddings } from "./embed.ts";
import { type IndexFacts, writeIndex } from "./search-index.ts";

export const EMBEDDING_FILES = [".npy", ".parquet", ".db"] as const;

/** Refuses a name whose ending says no format, before any work. Throws TesseraeError("usage"). */
export function checkEmbeddingFile(path: string): void {
  if ((EMBEDDING_FILES as readonly string[]).includes(extname(path).toLowerCase())) return;
  throw new TesseraeError("usage", "is named for no format of features", {
    where: path,
    hint: `End it in ${EMBEDDING_FILES.join(", ")}`,
  });
}

/**
 * Writes features: .npy with the images listed in a .csv beside it, .parquet, or .db, an index for `tesserae search`.
 * Returns the files. Throws TesseraeError("io").
 */
export async function writeEmbeddings(path: string, found: Embeddings, facts: IndexFacts): Promise<string[]> {
  const kind = extname(path).toLowerCase();
  if (kind === ".db") {
    await writeIndex(path, found, facts);
    return [path];
  }
  if (kind === ".parquet") {
    await writeFileAtomic(path, await parquetOf(found));
    return [path];
  }
  const list = `${path.slice(0, -kind.length)}.csv`;
  await writeFileAtomic(list, csvOf(found));
  await writeFileAtomic(path, writeNpy(found.values, [found.images.length, found.dim]));
  return [path, list];
}

/** RFC 4180. */
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const csvOf = ({ images }: Embeddings): string =>
  ["path,split,label,class", ...images.map((i) => [cell(i.path), i.split, i.label, cell(i.class)].join(",")), ""].join(
    "\n",
  );

/** Columns path, split, label, class and features, a list of float32. */
async function parquetOf({ images, values, dim }: Embeddings): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const required = { repetition_type: "REQUIRED" } as const;
  const text = (name: string) => ({ name, type: "BYTE_ARRAY", converted_type: "UTF8", ...required }) as const;
  const buffer = parquetWriteBuffer({
    schema: [
      { name: "features", num_children: 5 },
      text("path"),
      text("split"),
      { name: "label", type: "INT32", ...required },
      text("class"),
      { name: "features", converted_type: "LIST", num_children: 1, ...required },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", type: "FLOAT", ...required },
    ],
    columnData: [
      { name: "path", data: images.map((i) => i.path) },
      { name: "split", data: images.map((i) => i.split) },
      { name: "label", data: images.map((i) => i.label) },
      { name: "class", data: images.map((i) => i.class) },
      { name: "features", data: images.map((_, i) => Array.from(values.subarray(i * dim, (i + 1) * dim))) },
    ],
  });
  return new Uint8Array(buffer);
}
