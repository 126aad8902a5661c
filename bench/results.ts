import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import type { Row } from "./run-case.ts";

export interface Results {
  /** ISO, when the bench began. */
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/** Writes bench/results/<date>-<name>.json, and the table of all results so far into docs/performance.md. */
export async function writeResults(root: string, name: string, results: Results): Promise<string> {
  const folder = join(root, "bench", "results");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${results.date.slice(0, 19).replaceAll(":", "-")}-${name}.json`);
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  const page = join(root, "docs", "performance.md");
  if (existsSync(page))
    await writeFile(page, replaceTable(await readFile(page, "utf8"), tables(await readResults(folder))));
  return file;
}

async function readResults(folder: string): Promise<Results[]> {
  const files = (await readdir(folder)).filter((f) => f.endsWith(".json")).sort();
  return Promise.all(files.map(async (f) => JSON.parse(await readFile(join(folder, f), "utf8")) as Results));
}

/** The text between the page's markers, replaced. */
export function replaceTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md lacks ${BEGIN} and ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}

/** A table for each kind of machine: the newest row of every case and peer. */
export function tables(all: readonly Results[]): string {
  const machines = new Map<string, { rows: Map<string, Row & { date: string }>; machine: Machine }>();
  for (const { machine, rows, date } of all) {
    const key = `${machine.cpu}, ${machine.cores} cores, ${machine.system}`;
    const entry = machines.get(key) ?? { rows: new Map(), machine };
    entry.machine = machine;
    for (const row of rows) entry.rows.set(`${row.name} ${row.peerName}`, { ...row, date: date.slice(0, 10) });
    machines.set(key, entry);
  }
  return [...machines].map(([title, { rows, machine }]) => section(title, machine, [...rows.values()])).join("\n\n");
}

function section(title: string, machine: Machine, rows: readonly (Row & { date: string })[]): string {
  const versions = Object.entries(machine.versions).map(([name, v]) => `${name} ${v}`);
  const lines = rows.map((r) =>
    [
      r.name,
      r.peerName,
      figure(r.ours, r.unit),
      figure(r.peer, r.unit),
      ratio(r.ratio),
      ratio(r.ratioMin),
      r.note ?? "",
      r.date,
    ].join(" | "),
  );
  return [
    `### ${title}`,
    "",
    `${versions.join(", ")}.`,
    "",
    "| case | peer | ours | peer's | ratio (medians) | ratio (minima) | note | date |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...lines.map((l) => `| ${l} |`),
  ].join("\n");
}

const figure = (value: number | null, unit: string): string => {
  if (value === null) return "-";
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;
};
const ratio = (value?: number | null): string => (typeof value === "number" ? value.toFixed(2) : "-");

/** One line a row, for the terminal. */
export function printRows(rows: readonly Row[]): string {
  const cells = rows.map((r) => [
    r.name,
    r.peerName,
    figure(r.ours, r.unit),
    figure(r.peer, r.unit),
    ratio(r.ratio),
    ratio(r.ratioMin),
    r.note ?? "",
  ]);
  const head = ["case", "peer", "ours", "peer's", "ratio", "of minima", "note"];
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((c) => c[i].length)));
  return [head, ...cells]
    .map((c) =>
      c
        .map((v, i) => v.padEnd(widths[i]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
