/**
 * The command line in a process that notes what it takes: child.js USAGE-FILE train ... Should the parent end, however
 * it ends, the run stops and saves as on Ctrl-C.
 */
import { renameSync, writeFileSync } from "node:fs";

const [usageFile, ...words] = process.argv.slice(2);
const INTERVAL = 5000;

function note(): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = {
    seconds: performance.now() / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMemoryMiB: maxRSS / 1024,
  };
  writeFileSync(`${usageFile}.part`, JSON.stringify(usage));
  renameSync(`${usageFile}.part`, usageFile);
}

setInterval(note, INTERVAL).unref();
process.on("exit", note);
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();
process.argv = [...process.argv.slice(0, 2), ...words];
await import("../main.ts");
