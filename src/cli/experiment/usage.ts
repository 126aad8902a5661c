import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a run took, over all its attempts. */
export interface Usage {
  /** By the clock. */
  readonly seconds: number;
  /** Of all processors, user and system. */
  readonly cpuSeconds: number;
  readonly peakMemoryMiB: number;
  /** Processes it took: one more for each interruption. */
  readonly attempts: number;
}

/** Sums the files that `child.ts` left in a folder, one a process. */
export function usageIn(folder: string): Usage {
  const all = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Omit<Usage, "attempts">);
  const sum = (key: "seconds" | "cpuSeconds") => all.reduce((s, one) => s + one[key], 0);
  return {
    seconds: sum("seconds"),
    cpuSeconds: sum("cpuSeconds"),
    peakMemoryMiB: Math.max(0, ...all.map((one) => one.peakMemoryMiB)),
    attempts: all.length,
  };
}
