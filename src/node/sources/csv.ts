import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import type { ImageDataset, ImageSample } from "../../data/dataset.ts";
import { readClasses, tabulate } from "./labels.ts";
import { ALL, dataError, filesBySplit, LeftOut, type OpenSource, type SourceOptions } from "./source.ts";

const PATHS = ["path", "image", "file", "filename", "file_name", "filepath", "image_path"];
const LABELS = ["label", "class", "target", "category"];
const MAX_BYTES = 2 ** 29;

/** CSV or TSV lists with a header: a file, or a folder with train.csv, val.csv... or a column `split`. */
export const openCsv: OpenSource = async (path, options) => {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return openList(path, options);
  const names = (await readdir(path).catch(() => [])).filter((name) => /\.[ct]sv$/i.test(name)).sort();
  if (names.length === 0) return undefined;
  if (names.length === 1) return openList(join(path, names[0]), options);
  const parts = filesBySplit(
    names.map((name) => join(path, name)),
    options.note,
  );
  for (const [split, files] of parts) {
    if (files.length > 1) throw dataError(path, `has ${files.length} lists of ${split}`, "Name the one to read");
  }
  const open = async (split: string) => (await openList(parts.get(split)?.[0] as string, options, split)).open(split);
  return { splits: [...parts.keys()], open };
};

async function openList(path: string, options: SourceOptions, only?: string) {
  const rows = await readRows(path, options);
  const splits = only ? [only] : [...new Set(rows.map(({ split }) => split))];
  return {
    splits,
    open: (split: string) => toDataset(path, only ? rows : rows.filter((row) => row.split === split), options),
  };
}

interface Row {
  line: number;
  path: string;
  label: string;
  weight?: number;
  split: string;
}

async function readRows(path: string, options: SourceOptions): Promise<Row[]> {
  const records = parseCsv(path, await readText(path));
  const [header, ...rest] = records;
  if (!header) throw dataError(path, "the file is empty");
  const names = header.record.map((name) => name.trim().toLowerCase());
  const column = (known: readonly string[]) => known.map((name) => names.indexOf(name)).find((at) => at >= 0) ?? -1;
  const at = {
    path: column(PATHS),
    label: options.labelColumn ? header.record.indexOf(options.labelColumn) : column(LABELS),
    weight: column(["weight"]),
    split: column(["split"]),
  };
  if (at.path < 0)
    throw dataError(path, `no column of paths in its header: ${names.join(", ")}`, `Call it ${PATHS[0]}`);
  if (at.label < 0) {
    const hint = options.labelColumn ? undefined : `Call it ${LABELS[0]}, or name it with --label-column`;
    throw dataError(path, `no column ${options.labelColumn ?? "of labels"} in its header: ${names.join(", ")}`, hint);
  }
  if (rest.length === 0) throw dataError(path, "lists no images");
  return rest.map(({ record, line }) => {
    const text = at.weight < 0 ? "1" : record[at.weight].trim();
    const weight = text === "" ? Number.NaN : Number(text);
    if (!(weight >= 0 && weight < Infinity))
      throw dataError(`${path}:${line}`, `weight ${text} is not a number of 0 or more`);
    const split = at.split < 0 ? ALL : record[at.split].trim().toLowerCase() || ALL;
    return { line, path: record[at.path], label: record[at.label].trim(), split, ...(at.weight >= 0 && { weight }) };
  });
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_BYTES) throw dataError(path, `${size} bytes are too many for a list`);
  const text = await readFile(path, "utf8").catch((cause) => {
    throw dataError(path, `cannot be read (${cause.code})`);
  });
  if (text.includes("\0")) throw dataError(path, "is not a text file");
  return text;
}

function parseCsv(path: string, text: string): { record: string[]; line: number }[] {
  const delimiter = extname(path).toLowerCase() === ".tsv" ? "\t" : ",";
  try {
    const records = parse(text, { bom: true, delimiter, skip_empty_lines: true, info: true, max_record_size: 2 ** 20 });
    return (records as unknown as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      record,
      line: info.lines,
    }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const line = (cause as unknown as { lines?: number }).lines;
    throw dataError(line ? `${path}:${line}` : path, cause.message.split("\n")[0]);
  }
}

async function toDataset(path: string, rows: readonly Row[], options: SourceOptions): Promise<ImageDataset> {
  const root = resolve(options.dataRoot ?? dirname(path));
  const leftOut = new LeftOut();
  const kept: Row[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    const file = resolve(root, row.path);
    if (row.path.trim() === "") leftOut.add("lines without a path", `line ${row.line}`);
    else if (row.label === "") leftOut.add("lines without a label", `line ${row.line}`);
    else if (seen.has(file)) leftOut.add("paths that are listed already", `${row.path} (line ${row.line})`);
    else kept.push({ ...row, path: file });
    seen.add(file);
  }
  leftOut.report(path, options);
  if (kept.length === 0) throw dataError(path, "lists no images");
  await checkFirst(path, kept, root);
  const table = tabulate(
    kept.map(({ label }) => label),
    (i) => `${path}:${kept[i].line}`,
    await readClasses(dirname(path)),
  );
  const samples = kept.map(({ path, weight }, i): ImageSample => {
    return { path, label: table.labels[i], ...(weight !== undefined && { weight }) };
  });
  return { classes: table.classes, samples, root };
}

/** A wrong root is told at once: it would fail every image. */
async function checkFirst(path: string, rows: readonly Row[], root: string): Promise<void> {
  for (const row of rows.slice(0, 20)) if (await stat(row.path).catch(() => undefined)) return;
  throw dataError(
    `${path}:${rows[0].line}`,
    `no such file as ${rows[0].path}`,
    `Paths start from ${root}; see --data-root`,
  );
}
