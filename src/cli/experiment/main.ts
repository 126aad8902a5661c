import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TesseraeError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { note, percent, print } from "../output.ts";
import { exitCodeOf, INTERRUPTED, quietPipes, report as reportError } from "../report.ts";
import { drive, Interrupted } from "./drive.ts";
import { type Experiment, type PlannedRun, readExperiments, runsOf, type Scale } from "./recipe.ts";
import { report } from "./report.ts";
import { addResult, currentResults, readResults } from "./results.ts";

const USAGE = `npm run experiment                              lists the experiments
npm run experiment -- NAME DATA [--only RUN]    does what is missing, collects results, draws the figure
npm run experiment -- NAME --list               the runs and their results
npm run experiment -- NAME --draw               figure and table from the results there are

  --full           the papers' size instead of a small one
  --only RUN       runs whose name holds this
  --seeds 1,2,3    these seeds instead of the recipe's
  --python PATH    for runs of PyTorch (default: python3)
Ctrl-C saves; the same command goes on.`;

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      list: { type: "boolean", default: false },
      draw: { type: "boolean", default: false },
      seeds: { type: "string" },
      python: { type: "string", default: "python3" },
      help: { type: "boolean", default: false },
    },
  });
  const experiments = await readExperiments(at("recipes/experiments"));
  const [name, data] = positionals;
  if (values.help || name === undefined) {
    print(USAGE);
    for (const experiment of experiments.values()) print(`\n${experiment.name}\n  ${experiment.title}`);
    return;
  }
  const experiment = experiments.get(name);
  if (!experiment) {
    const near = nearest(name, experiments.keys());
    const hint = `There are ${(near.length > 0 ? near : [...experiments.keys()]).join(", ")}`;
    throw new TesseraeError("usage", `no experiment ${name}`, { hint });
  }
  const scale: Scale = values.full ? "full" : "small";
  const plan = experiment.plans[scale];
  const runs = runsOf({ ...plan, seeds: values.seeds?.split(",").map(wholeNumber) ?? plan.seeds });
  const chosen = runs.filter(({ id }) => id.includes(values.only));
  if (chosen.length === 0)
    throw new TesseraeError("usage", `no run holds ${values.only}`, { hint: `As in ${runs[0].id}` });
  if (values.list) return list(experiment, scale, chosen);
  if (!values.draw) {
    if (data === undefined) throw new TesseraeError("usage", "no folder of images is named", { hint: USAGE });
    await runAll(experiment, scale, chosen, data, values.python);
  }
  await draw(experiment, scale);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TesseraeError("usage", `a seed is a whole number, not ${text}`);
  return value;
}

const resultsFile = (name: string): string => at(`recipes/results/${name}.json`);

async function list({ name }: Experiment, scale: Scale, runs: readonly PlannedRun[]): Promise<void> {
  const results = await readResults(resultsFile(name));
  for (const run of runs) {
    const [done] = currentResults([run], scale, results);
    const stale = results.some((r) => r.scale === scale && r.id === run.id);
    const state = done
      ? `${percent(done.top1)}  ${done.cpuSeconds.toFixed(0)} s of processor`
      : stale
        ? "out of date"
        : "missing";
    print(`${run.id.padEnd(44)} ${state}`);
  }
}

async function runAll(
  { name }: Experiment,
  scale: Scale,
  runs: readonly PlannedRun[],
  data: string,
  python: string,
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  const work = join("runs", "experiments", name, scale);
  await mkdir(work, { recursive: true });
  for (const [i, run] of runs.entries()) {
    if (currentResults([run], scale, await readResults(resultsFile(name))).length > 0) continue;
    note(`run ${i + 1} of ${runs.length}: ${run.id}`);
    try {
      const options = {
        data,
        scale,
        work,
        python,
        signal: stop.signal,
        say: (text: string) => process.stderr.write(text),
      };
      const result = await drive(run, options);
      await addResult(resultsFile(name), result);
      note(`${run.id}: top-1 ${percent(result.top1)}, ${result.cpuSeconds.toFixed(0)} s of processor`);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      note("interrupted; the same command goes on");
      process.exitCode = INTERRUPTED;
      return;
    }
  }
}

/** Results of all seeds there are, whatever the recipe's. */
async function draw(experiment: Experiment, scale: Scale): Promise<void> {
  const { name, plans } = experiment;
  const results = await readResults(resultsFile(name));
  const seeds = [...new Set([...plans[scale].seeds, ...results.map(({ seed }) => seed)])];
  const current = currentResults(runsOf({ ...plans[scale], seeds }), scale, results);
  const suffix = scale === "full" ? "-full" : "";
  await report({ ...experiment, name: name + suffix }, current, {
    page: at("docs/experiments.md"),
    figure: at(`docs/figures/${name}${suffix}.svg`),
  });
}

quietPipes();
try {
  await main();
} catch (error) {
  reportError(error, { debug: Boolean(process.env.DEBUG) });
  process.exitCode = exitCodeOf(error);
}
