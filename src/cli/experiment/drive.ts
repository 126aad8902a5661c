import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TesseraeError } from "../../errors.ts";
import { createModel } from "../../models/index.ts";
import { parseSpec } from "../../models/spec.ts";
import { statistics } from "../../models/statistics.ts";
import { writeFileAtomic } from "../../node/atomic-write.ts";
import { SUMMARY_FILE } from "../../node/record/summary.ts";
import { CONFIG_FILE } from "../../node/run-folder.ts";
import type { PlannedRun, Scale } from "./recipe.ts";
import { fingerprintOf, type RunResult } from "./results.ts";
import { usageIn } from "./usage.ts";

export interface DriveOptions {
  readonly data: string;
  readonly scale: Scale;
  /** Holds a folder for each run while it is under way. */
  readonly work: string;
  /** For runs of a peer. */
  readonly python: string;
  readonly signal: AbortSignal;
  /** What the runs say on stderr. */
  readonly say: (text: string) => void;
}

/** Interrupted: what is done is saved, and the next call goes on. */
export class Interrupted extends Error {}

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Does one run, or what is left of it, and gives its result. Throws Interrupted, or what went wrong. */
export async function drive(run: PlannedRun, options: DriveOptions): Promise<RunResult> {
  const folder = join(options.work, `${run.id}-${fingerprintOf(run)}`);
  const usage = join(folder, "usage");
  const output = join(folder, "run");
  await mkdir(usage, { recursive: true });
  const config = join(folder, "flags.json");
  await writeFileAtomic(config, JSON.stringify(run.flags, null, 1));
  const data = resolve(options.data);
  const usageFile = join(usage, `${Date.now()}.json`);
  const train = [data, "--config", config, "--output", output];
  if (run.peer === undefined) await tesserae(usageFile, ["train", ...train, "--resume", "auto"], options);
  else await listen(spawn(options.python, [join(ROOT, run.peer), ...train], WITH_LOG), options);
  const evaluations: Record<string, number> = {};
  for (const [name, flags] of Object.entries(run.evaluate)) {
    const words = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const scratch = join(folder, "evaluation-usage.json");
    evaluations[name] = JSON.parse(await tesserae(scratch, ["eval", output, data, "--json", ...words], options)).top1;
  }
  const result = { ...(await outcome(run, output)), ...usageOf(run, usage, output), evaluations };
  await rm(folder, { recursive: true, force: true });
  return { ...result, scale: options.scale };
}

const WITH_LOG = { stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"], detached: true };

/** Runs the command line; gives what it prints. It has a process group of its own, so Ctrl-C reaches it through us alone. */
function tesserae(usageFile: string, words: readonly string[], options: DriveOptions): Promise<string> {
  const child = fork(CHILD, [usageFile, ...words], {
    execArgv: [],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  return listen(child, options, words[0]);
}

function listen(child: ChildProcess, { signal, say }: DriveOptions, what = "the peer"): Promise<string> {
  if (signal.aborted) child.kill("SIGTERM");
  const stop = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4000);
    say(text);
  });
  return new Promise<string>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      if (code === 0) return done(stdout);
      if (signal.aborted) return fail(new Interrupted());
      const line = stderr.trim().split("\n").at(-1) ?? "";
      fail(new TesseraeError("runtime", `${what} ended with code ${code}: ${line}`));
    });
  }).finally(() => signal.removeEventListener("abort", stop));
}

/** What the run folder says. */
async function outcome(run: PlannedRun, output: string) {
  const read = (file: string) => readFile(join(output, file), "utf8");
  const config = JSON.parse(await read(CONFIG_FILE));
  const spec = parseSpec(config.spec, CONFIG_FILE);
  const { parameters, gmacs } = statistics(createModel(spec.name, spec.options));
  const last = lastRow(await read(SUMMARY_FILE));
  return {
    id: run.id,
    values: run.values,
    seed: run.seed,
    fingerprint: fingerprintOf(run),
    parameters,
    gmacs,
    images: config.images.train as number,
    imagesSeen: (config.images.train as number) * config.settings.epochs,
    trainLoss: last("train_loss"),
    top1: last("eval_top1"),
    top5: last("eval_top5"),
    valLoss: last("eval_loss"),
    versions: config.versions as Record<string, string>,
    processors: (config.processors as number | undefined) ?? availableParallelism(),
    ...(config.device && config.device !== "cpu" && { device: String(config.device) }),
  };
}

/** Reads the cells of a summary's last row by their column. */
export function lastRow(csv: string): (column: string) => number {
  const [header, ...rows] = csv.trimEnd().split("\n");
  const cells = rows.at(-1)?.split(",") ?? [];
  return (column) => {
    const cell = cells[header.split(",").indexOf(column)];
    if (cell === undefined || cell === "" || !Number.isFinite(Number(cell)))
      throw new TesseraeError("data", `the last row has no ${column}`, { where: SUMMARY_FILE });
    return Number(cell);
  };
}

/** A peer notes its own. */
const usageOf = (run: PlannedRun, usage: string, output: string) => usageIn(run.peer ? join(output, "usage") : usage);
