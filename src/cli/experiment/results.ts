import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TesseraeError } from "../../errors.ts";
import { writeFileAtomic } from "../../node/atomic-write.ts";
import type { PlannedRun, Scale } from "./recipe.ts";
import type { Usage } from "./usage.ts";

/** A finished run. */
export interface RunResult extends Usage {
  readonly scale: Scale;
  readonly id: string;
  readonly values: Readonly<Record<string, string>>;
  readonly seed: number;
  /** Of flags and evaluations: a result of others is out of date. */
  readonly fingerprint: string;
  readonly parameters: number;
  /** Of the forward pass of one image. */
  readonly gmacs: number;
  /** Different training images. */
  readonly images: number;
  /** Images times epochs. */
  readonly imagesSeen: number;
  readonly trainLoss: number;
  /** Percent, after the last epoch. */
  readonly top1: number;
  readonly top5: number;
  readonly valLoss: number;
  /** top-1 of the evaluations beside, by name. */
  readonly evaluations: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, string>>;
  /** Processors of the machine. */
  readonly processors: number;
  /** What computed it, if not a processor: its time and memory stand in no table. */
  readonly device?: string;
}

/** Changes with whatever would change a run's result. */
export const fingerprintOf = ({ flags, evaluate, peer }: PlannedRun): string =>
  createHash("sha256")
    .update(JSON.stringify([flags, evaluate, peer ?? ""]))
    .digest("hex")
    .slice(0, 16);

/** The results in a file; none where it is absent. Throws TesseraeError("data") where it is no such file. */
export async function readResults(path: string): Promise<RunResult[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  try {
    const { runs } = JSON.parse(text);
    if (Array.isArray(runs)) return runs;
  } catch {}
  throw new TesseraeError("data", "is no file of results", { where: path, hint: "Move it away to begin anew" });
}

/** Adds a result in place of an older one of the same run; a line each. */
export async function addResult(path: string, result: RunResult): Promise<RunResult[]> {
  const others = (await readResults(path)).filter(({ scale, id }) => scale !== result.scale || id !== result.id);
  const runs = [...others, result];
  await writeFileAtomic(path, `{"runs": [\n${runs.map((run) => JSON.stringify(run)).join(",\n")}\n]}\n`);
  return runs;
}

/** The results of these runs that are not out of date, in their order. */
export function currentResults(
  planned: readonly PlannedRun[],
  scale: Scale,
  results: readonly RunResult[],
): RunResult[] {
  return planned.flatMap((run) => {
    const fingerprint = fingerprintOf(run);
    return results.find((r) => r.scale === scale && r.id === run.id && r.fingerprint === fingerprint) ?? [];
  });
}
