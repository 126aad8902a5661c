import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly path: string;
  /** Whether this user may mount disks: else the path is a folder like any other, and tests that need a disk skip. */
  readonly mounted: boolean;
  remove(): void;
}

/** For tests: a disk of so many MiB, in memory. */
export function smallDisk(mebibytes: number, test: string): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "tesserae-disk-"));
  const mounted = process.platform === "linux" && mount(path, mebibytes);
  if (!mounted) console.warn(`${test} is skipped: this user may not mount a small disk`);
  const remove = (): void => {
    if (mounted) execFileSync("umount", [path]);
    rmSync(path, { recursive: true, force: true });
  };
  return { path, mounted, remove };
}

function mount(path: string, mebibytes: number): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
