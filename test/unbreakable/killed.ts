import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { keyed, type Random } from "../../src/data/random.ts";
import type { TrainOptions } from "../../src/node/train-options.ts";
import { endOf } from "./runs.ts";

const child = fileURLToPath(new URL("child.mjs", import.meta.url));
const train = new URL("../../dist/node/train.js", import.meta.url).href;

/** When a process is killed: at a call within a save of its, or some milliseconds after a step of its. */
export type Moment =
  | { readonly save: number; readonly call: number }
  | { readonly steps: number; readonly milliseconds: number };

/** More calls than a save makes: the last ones fall between two saves. */
const CALLS = 48;

const drawMoment = (random: Random): Moment =>
  random.uniform() < 0.5
    ? { save: 1 + random.int(2), call: 1 + random.int(CALLS) }
    : { steps: random.int(5), milliseconds: random.int(25) };

export interface KillsOptions {
  /** How many processes are to be killed. */
  readonly kills: number;
  /** Of the moments. */
  readonly seed: number;
  readonly folder: string;
  readonly options: TrainOptions;
}

export interface Kills {
  /** Of the run that was never killed. */
  readonly expected: string;
  /** Of each run that was killed again and again. */
  readonly ends: readonly string[];
  readonly kills: number;
  /** Kills at a call after the beginning of a save. */
  readonly inSaves: number;
}

/**
 * Runs again and again killed and resumed in one folder until they are done, as many as it takes. Each draws its own
 * moments.
 */
export async function killAndResume({ kills, seed, folder, options }: KillsOptions): Promise<Kills> {
  const output = (name: string): TrainOptions => ({ ...options, output: join(folder, name), resume: "auto" });
  await live(output("never"));
  const ends: string[] = [];
  let [done, inSaves] = [0, 0];
  for (let run = 0; done < kills; run++) {
    const random = keyed(seed, "moments", run);
    let finished = false;
    while (!finished) {
      const moment = drawMoment(random);
      finished = (await live(output(`run${run}`), moment)) === "finished";
      if (!finished) done++;
      if (!finished && "save" in moment) inSaves++;
    }
    ends.push(endOf(join(folder, `run${run}`)));
  }
  return { expected: endOf(join(folder, "never")), ends, kills: done, inSaves };
}

/** A process that trains until it is done or killed. Any other end of it is an error. */
export function live(options: TrainOptions, moment?: Moment): Promise<"finished" | "killed"> {
  const given = JSON.stringify({ train, options, ...(moment && "save" in moment ? moment : {}) });
  const process_ = spawn(process.execPath, [child, given], { stdio: ["ignore", "pipe", "pipe"] });
  let steps = 0;
  let stderr = "";
  const kill = async (): Promise<void> => {
    await sleep((moment as { milliseconds: number }).milliseconds);
    process_.kill("SIGKILL");
  };
  process_.stdout.on("data", (text: Buffer) => {
    const before = steps;
    steps += text.toString().split("\n").length - 1;
    if (moment && "steps" in moment && before <= moment.steps && steps > moment.steps) void kill();
  });
  process_.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    process_.on("error", reject);
    process_.on("close", (code, signal) => {
      if (code === 0) resolve("finished");
      else if (signal === "SIGKILL") resolve("killed");
      else reject(new Error(`the process ended with ${code ?? signal}: ${stderr}`));
    });
  });
}
