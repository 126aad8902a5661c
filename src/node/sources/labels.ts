import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compareCodePoints } from "../../data/dataset.ts";
import { dataError } from "./source.ts";

/** Numbered classes beyond this are taken for a mistake. */
const MAX_CLASSES = 100_000;
const CLASS_FILES = ["classes.txt", "classnames.txt", "labels.txt"];

export interface LabelTable {
  classes: string[];
  /** Of each of the texts. */
  labels: number[];
}

/**
 * Labels as texts -> numbers. With `classes`, each is one of its names or indices. Else, where all are whole numbers,
 * classes are "0" up to the largest; else they are the names, in code-point order.
 * @param whereOf names the place of text i in messages.
 * @throws TesseraeError `data` for a label that is no class.
 */
export function tabulate(
  texts: readonly string[],
  whereOf: (i: number) => string,
  classes?: readonly string[],
): LabelTable {
  const isWhole = (text: string) => /^\d{1,15}$/.test(text);
  const empty = texts.indexOf("");
  if (empty >= 0) throw dataError(whereOf(empty), "the label is empty");
  if (classes) {
    const index = new Map(classes.map((name, i) => [name, i]));
    const labels = texts.map((text, i) => {
      const label = index.get(text) ?? (isWhole(text) ? Number(text) : -1);
      if (label >= 0 && label < classes.length) return label;
      throw dataError(whereOf(i), `label ${shown(text)} is none of the ${classes.length} classes`);
    });
    return { classes: [...classes], labels };
  }
  if (texts.every(isWhole)) {
    const labels = texts.map(Number);
    const most = labels.reduce((a, b) => Math.max(a, b), 0);
    if (most >= MAX_CLASSES) {
      const what = `label ${most} is too large: classes are numbered from 0, below ${MAX_CLASSES}`;
      throw dataError(whereOf(labels.indexOf(most)), what);
    }
    return { classes: Array.from({ length: most + 1 }, (_, i) => String(i)), labels };
  }
  const names = [...new Set(texts)].sort(compareCodePoints);
  if (names.length > MAX_CLASSES) throw dataError(whereOf(0), `${names.length} different labels are too many`);
  const index = new Map(names.map((name, i) => [name, i]));
  return { classes: names, labels: texts.map((text) => index.get(text) as number) };
}

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);

/** Class names, a line each: `name` in the folder, or the first of the usual names; undefined where there is none. */
export async function readClasses(
  folder: string,
  names: readonly string[] = CLASS_FILES,
): Promise<string[] | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const classes = text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "");
    const twice = classes.find((line, i) => classes.indexOf(line) < i);
    if (twice !== undefined) throw dataError(path, `names class ${shown(twice)} twice`);
    if (classes.length === 0) throw dataError(path, "names no class");
    return classes;
  }
  return undefined;
}
