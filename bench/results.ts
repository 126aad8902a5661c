import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Growth, growthTable } from "./growth.ts";
import type { Machine } from "./machine.ts";
import type { Row } from "./run-case.ts";

export interface Results {
  /** ISO, when the bench began. */
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

/** Results of `--growth`. */
export interface GrowthResults extends Omit<Results, "rows"> {
  readonly growth: readonly Growth[];
}

/** Writes bench/results/<date>-<name>.json, and the tables of all results so far into docs/performance.md. */
export async function writeResults(root: string, name: string, results: Results | GrowthResults): Promise<string> {
  const folder = join(root, "bench", "results");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${results.date.slice(0, 19).replaceAll(":", "-")}-${name}.json`);
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  const page = join(root, "docs", "performance.md");
  if (existsSync(page)) {
    const all = await readResults(folder);
    const rows = all.filter((r): r is Results => "rows" in r);
    const grown = all.filter((r): r is GrowthResults => "growth" in r);
    const text = replaceTable(await readFile(page, "utf8"), "bench", tables(rows));
    await writeFile(page, replaceTable(text, "growth", grown.map(growthSection).slice(-1).join("")));
  }
  return file;
}

async function readResults(folder: string): Promise<(Results | GrowthResults)[]> {
  const files = (await readdir(folder)).filter((f) => f.endsWith(".json")).sort();
  return Promise.all(files.map(async (f) => JSON.parse(await readFile(join(folder, f), "utf8"))));
}

/** The text between the page's markers of that name, replaced. */
export function replaceTable(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md lacks ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${table}\n\n${page.slice(to)}`;
}

const growthSection = ({ machine, date, growth }: GrowthResults): string =>
  [`${machineName(machine)}, ${date.slice(0, 10)}.`, "", growthTable(growth)].join("\n");

const machineName = ({ cpu, vectors, cores, system }: Machine): string =>
  `${cpu}${vectors ? ` with ${vectors}` : ""}, ${cores} cores, ${system}`;

/** A table for each kind of machine: the newest row of every case and peer. */
export function tables(all: readonly Results[]): string {
  const machines = new Map<string, { rows: Map<string, Row & { date: string }>; machine: Machine }>();
  for (const { machine, rows, date } of all) {
    const key = machineName(machine);
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
