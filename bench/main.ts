import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { PASS_NAMES } from "../src/graph/passes/index.ts";
import { ablate } from "./ablate.ts";
import { CASES, type Case, type StepCase, selectCases, THREADS } from "./cases.ts";
import { growth, growthTable } from "./growth.ts";
import { describeMachine } from "./machine.ts";
import { findPython, NO_PYTHON, PEERS, selectPeers } from "./peers.ts";
import { printRows, writeResults } from "./results.ts";
import { type Row, type RunOptions, runCase } from "./run-case.ts";

interface Flags {
  json: boolean;
  only?: string[];
  rounds: number;
  threads: number;
  ablate?: true | string[];
  growth: boolean;
  compile: boolean;
  js: boolean;
  write: boolean;
  list: boolean;
}

const whole = (text: string): number => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError("a whole number of at least 1");
  return n;
};

const split = (names: string): string[] => names.split(",");

const command = new Command("npm run bench --")
  .description(
    "Paired, interleaved measurements against PyTorch and others. Ratio = peer / ours: above 1, ours is ahead.",
  )
  .option("--json", "print an array of rows", false)
  .option("--only <names>", "cases by name or kind (train, infer, memory, data, first-step)", split)
  .option("--rounds <n>", "turns of each side", whole, 10)
  .option("--threads <n>", "threads of each side", whole, THREADS)
  .option("--compile", "measure torch.compile too (needs a C++ compiler)", false)
  .option("--js", "measure TF.js and jax-js too", false)
  .option("--ablate [passes]", "our step with each graph pass off in turn, or with those named (a,b)", split)
  .option("--growth", "time and memory as batch, depth, tokens, PVT's resolution and workers grow", false)
  .option("--write", "write bench/results and the table in docs/performance.md", false)
  .option("--list", "print the cases", false)
  .addHelpText("after", "\nExample: npm run bench -- --only vit_tiny_patch16_224-train,infer --rounds 20")
  .parse();

const flags = command.opts<Flags>();
const log = (line: string): void => console.error(line);
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** All cases one after another; one that cannot run says why and stops no other. Rows are kept after each case. */
async function caseRows(
  cases: readonly Case[],
  options: RunOptions,
  keep: (rows: readonly Row[]) => Promise<void>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const c of cases) {
    try {
      rows.push(...(await runCase(c, options)));
    } catch (error) {
      const note = `skipped: ${error instanceof Error ? error.message : String(error)}`;
      log(`${c.name}: ${note}`);
      const unit = c.kind === "memory" ? "MB" : "ms";
      rows.push({ name: c.name, ours: null, peer: null, peerName: "pytorch", ratio: null, unit, note });
    }
    await keep(rows);
  }
  return rows;
}

async function main(): Promise<void> {
  if (flags.list) return console.log(CASES.map((c) => c.name).join("\n"));
  const { cases, unknown } = selectCases(flags.growth ? undefined : flags.only);
  if (unknown.length) command.error(`no case ${unknown.join(", ")}; --list names them`);
  const paths = { root, python: findPython(root) };
  const more = PEERS.map((p) => p.name).filter((n) => (n === "torch-compile" ? flags.compile : flags.js));
  const options: RunOptions = { rounds: flags.rounds, threads: flags.threads, paths, peers: selectPeers(more), log };
  if (flags.ablate) return runAblation(cases, flags.ablate === true ? PASS_NAMES : flags.ablate, options);
  if (!paths.python) log(NO_PYTHON);
  const date = new Date().toISOString();
  const machine = await describeMachine(paths);
  log(`${machine.cpu}, ${machine.cores} cores, load ${machine.load}; ${JSON.stringify(machine.versions)}`);
  if (flags.growth) {
    const all = await growth(flags.only, options);
    if (flags.write) log(`wrote ${await writeResults(root, "growth", { date, machine, growth: all })}`);
    return console.log(flags.json ? JSON.stringify(all) : growthTable(all));
  }
  const rows = await caseRows(cases, options, async (sofar) => {
    if (flags.write) log(`wrote ${await writeResults(root, nameOf(flags.only), { date, machine, rows: sofar })}`);
  });
  console.log(flags.json ? JSON.stringify(rows) : printRows(rows));
  if (rows.some((r) => r.note?.startsWith("FAILED"))) process.exitCode = 1;
}

/** Part of a file's name, whose length systems limit. */
const nameOf = (only: readonly string[] = ["all"]): string => only.join("+").slice(0, 100);

async function runAblation(cases: readonly Case[], passes: readonly string[], options: RunOptions): Promise<void> {
  const missing = passes.filter((pass) => !PASS_NAMES.includes(pass));
  if (missing.length) command.error(`no pass ${missing.join(", ")}; there are ${PASS_NAMES.join(", ")}`);
  const trained = cases.filter((c): c is StepCase => c.kind === "train");
  const rows = [];
  for (const c of trained) rows.push(...(await ablate(c, passes, options)));
  if (flags.json) return console.log(JSON.stringify(rows));
  for (const r of rows)
    console.log(
      `${r.name}  without ${r.pass}: ${r.without.toFixed(1)} ms, with all ${r.all.toFixed(1)} ms, gain ${r.gain.toFixed(3)}`,
    );
}

await main();
