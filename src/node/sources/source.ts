import { basename, dirname } from "node:path";
import type { ImageDataset } from "../../data/dataset.ts";
import { TesseraeError } from "../../errors.ts";

/** Something that holds image sets by name: "train", "test"... */
export interface Source {
  /** Names of its parts, at least one. `ALL` where there is one without a name. */
  readonly splits: readonly string[];
  open(split: string): Promise<ImageDataset>;
}

export interface SourceOptions {
  /** What is incomplete is an error instead of being left out and named. */
  strict: boolean;
  /** Column of the labels; for CIFAR-100 `fine` or `coarse`. */
  labelColumn?: string;
  /** Folder that the paths of a CSV list start from; default: its own. */
  dataRoot?: string;
  /** Takes a line about what was left out. */
  note(line: string): void;
}

/** Opens what lies at `path` if it is of that kind; undefined where it is not. */
export type OpenSource = (path: string, options: SourceOptions) => Promise<Source | undefined>;

/** The part of a source whose parts have no names. */
export const ALL = "all";

/** In order of preference. */
export const VAL_NAMES: readonly string[] = ["val", "validation", "valid", "test"];

export const dataError = (where: string, what: string, hint?: string): TesseraeError =>
  new TesseraeError("data", what, { where, hint });

/** The part that a file's name, or its folder's, says it belongs to: "train-00000-of-00001.parquet", "test/0.tar". */
export function splitOfName(path: string): string | undefined {
  const word = /(?:^|[-_.])(train|validation|valid|val|test)(?=[-_.\d]|$)/i;
  const [, found] =
    word.exec(basename(path)) ?? /^(train|validation|valid|val|test)$/i.exec(basename(dirname(path))) ?? [];
  return found?.toLowerCase();
}

/** Files by the parts they belong to; all are one part where none says so. Those without a name are then left out. */
export function filesBySplit(paths: readonly string[], note: (line: string) => void): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const path of paths) {
    const split = splitOfName(path) ?? ALL;
    parts.set(split, [...(parts.get(split) ?? []), path]);
  }
  const unnamed = parts.get(ALL);
  if (unnamed && parts.size > 1) {
    parts.delete(ALL);
    note(
      `${unnamed[0]}: left out${unnamed.length > 1 ? ` with ${unnamed.length - 1} more` : ""}, since its name is of no split`,
    );
  }
  return parts;
}

export const listed = (names: readonly string[], most = 5): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

/** Samples that are left out for one reason: named in one line, or refused with `strict`. */
export class LeftOut {
  readonly #byReason = new Map<string, string[]>();
  readonly #counts = new Map<string, number>();

  add(reason: string, name: string): void {
    const names = this.#byReason.get(reason) ?? [];
    if (names.length < 3) this.#byReason.set(reason, [...names, name]);
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** @throws TesseraeError `data` with `strict`, if anything was left out. */
  report(where: string, { strict, note }: SourceOptions): void {
    for (const [reason, names] of this.#byReason) {
      const count = this.#counts.get(reason) as number;
      const shown = names.join(", ") + (count > names.length ? ` and ${count - names.length} more` : "");
      if (strict) throw dataError(where, `${count} ${reason}: ${shown}`, "Without --strict they are left out");
      note(`${where}: left out ${count} ${reason}: ${shown}`);
    }
  }
}
