import { fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../../node/atomic-write.ts";
import { INTERRUPTED } from "../report.ts";
import type { Trial } from "./file.ts";
import type { Outcome } from "./state.ts";

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));

/** How long a run of a sweep that was killed may take to stop and save, in seconds. */
const PATIENCE = 60;

export interface DriveOptions {
  readonly folder: string;
  readonly data: string;
  readonly signal: AbortSignal;
}

/** Trains a trial, or what is left of it, in a process of its own, so that no failure of it is one of the sweep's. */
export async function driveTrial(trial: Trial, options: DriveOptions): Promise<Outcome> {
  const { folder, data, signal } = options;
  const config = join(folder, `${trial.name}.json`);
  await writeFileAtomic(config, `${JSON.stringify(trial.flags, null, 1)}\n`);
  const words = ["train", data, "--config", config, "--output", join(folder, trial.name), "--resume", "auto"];
  for (let waited = 0; ; waited++) {
    const outcome = await runChild(words, signal);
    // A killed sweep's trial may still be saving.
    if (waited === PATIENCE || signal.aborted || !outcome.error?.includes("run folder is in use by")) return outcome;
    await sleep(1000);
  }
}

/** It has a process group of its own, so that Ctrl-C reaches it through us alone, once. */
function runChild(words: readonly string[], signal: AbortSignal): Promise<Outcome> {
  if (signal.aborted) return Promise.resolve({ status: "interrupted" });
  const child = fork(CHILD, words, { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"], detached: true });
  const stop = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  let error: string | undefined;
  child.on("message", (message: { error?: string }) => {
    error = message.error;
  });
  return new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killer) => {
      if (code === 0) resolve({ status: "finished" });
      else if (code === INTERRUPTED || signal.aborted) resolve({ status: "interrupted" });
      else resolve({ status: "failed", error: error ?? (killer ? `killed by ${killer}` : `ended with code ${code}`) });
    });
  }).finally(() => signal.removeEventListener("abort", stop));
}
