import { rename } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import Database from "libsql";
import { TesseraeError } from "../errors.ts";
import type { Preprocessing } from "../models/model.ts";
import type { Embedded, Embeddings } from "./embed.ts";
import { ioError, nodeFileSystem, removeStaleTemporaries, withTemporary } from "./file-system.ts";

/** What a search has to know of the features of an index. */
export interface IndexFacts {
  /** As `--model` names it. */
  readonly model: string;
  /** Side of the images, where it is not the model's. */
  readonly imgSize?: number;
  /** How images were prepared, where that was not as the model says. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Hash of the weights. */
  readonly weights: string;
}

export interface Neighbour extends Omit<Embedded, "label"> {
  /** 1 for the same direction, 0 for none in common. */
  readonly cosine: number;
}

const blob = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** Writes an index of features by their cosine, whole or not at all. Throws TesseraeError("io"). */
export async function writeIndex(path: string, { images, values, dim }: Embeddings, facts: IndexFacts): Promise<void> {
  const folder = dirname(resolve(path));
  await removeStaleTemporaries(nodeFileSystem, folder);
  await withTemporary(nodeFileSystem, folder, async (temporary) => {
    try {
      const db = new Database(temporary);
      try {
        db.exec("PRAGMA journal_mode = MEMORY; BEGIN");
        db.exec(`CREATE TABLE images (path TEXT, split TEXT, class TEXT, features F32_BLOB(${dim}))`);
        db.exec("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)");
        const fact = db.prepare("INSERT INTO facts VALUES (?, ?)");
        for (const [name, value] of Object.entries({ ...facts, dim })) fact.run(name, JSON.stringify(value ?? null));
        const insert = db.prepare("INSERT INTO images VALUES (?, ?, ?, ?)");
        for (const [i, image] of images.entries())
          insert.run(image.path, image.split, image.class, blob(values.subarray(i * dim, (i + 1) * dim)));
        db.exec(
          "CREATE INDEX nearest ON images (libsql_vector_idx(features, 'metric=cosine', 'compress_neighbors=float8', 'max_neighbors=20'))",
        );
        db.exec("COMMIT");
      } finally {
        db.close();
      }
      await rename(temporary, path);
    } catch (error) {
      throw ioError("cannot write the index", error, { where: path });
    }
  });
}

/** An index that is searched. */
export interface SearchIndex extends IndexFacts {
  readonly dim: number;
  /** The k nearest, best first. */
  nearest(features: Float32Array, k: number): Neighbour[];
  close(): void;
}

/** Opens an index that `writeIndex` made. Throws TesseraeError("io" | "data"). */
export function openIndex(path: string): SearchIndex {
  const damaged = (cause: unknown) =>
    new TesseraeError("data", "is no index of features", {
      where: path,
      hint: "Make one with `tesserae embed DATA --model X -o photos.db`",
      cause,
    });
  let db: InstanceType<typeof Database>;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw damaged(error);
  }
  try {
    const rows = db.prepare("SELECT name, value FROM facts").all() as { name: string; value: string }[];
    const facts = Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(value)]));
    if (typeof facts.model !== "string" || !Number.isInteger(facts.dim)) throw new Error("facts are missing");
    return {
      model: facts.model,
      imgSize: facts.imgSize ?? undefined,
      preprocessing: facts.preprocessing ?? undefined,
      weights: facts.weights,
      dim: facts.dim,
      nearest: (features, k) => nearest(db, features, k),
      close: () => void db.close(),
    };
  } catch (error) {
    db.close();
    throw damaged(error);
  }
}

function nearest(db: InstanceType<typeof Database>, features: Float32Array, k: number): Neighbour[] {
  const query = blob(features);
  const found = db
    .prepare(
      `SELECT path, split, class, 1 - vector_distance_cos(features, ?) AS cosine
       FROM vector_top_k('nearest', ?, ?) AS top JOIN images ON images.rowid = top.id ORDER BY cosine DESC`,
    )
    .all(query, query, k) as Neighbour[];
  return found.map(({ path, split, class: name, cosine }) => ({ path, split, class: name, cosine }));
}
