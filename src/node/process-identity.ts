import { readFileSync } from "node:fs";

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const boot = readOrEmpty("/proc/sys/kernel/random/boot_id").slice(0, 8);

/** [state, start in ticks since boot]: fields 3 and 22 of /proc/<pid>/stat; the name in field 2 may hold anything. */
function processStat(pid: number): readonly [state: string, start: string] | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.length > 19 ? [fields[0], fields[19]] : undefined;
}

/** Tells a process from a later one of the same id; "0" where the platform does not say. */
export function startOf(pid: number): string {
  const stat = processStat(pid);
  return stat && boot ? `${boot}.${stat[1]}` : "0";
}

/** Whether the process `pid` that started at `start` (as `startOf` says) still runs on this machine. */
export function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false; // EPERM: it runs, as another user
  }
  if (processStat(pid)?.[0] === "Z") return false;
  const now = startOf(pid);
  return start === "0" || now === "0" || start === now;
}
