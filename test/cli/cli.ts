import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const main = join(root, "dist", "cli", "main.js");

export interface Output {
  code: number | null;
  /** What it died of, where it has no code. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** User and group that it runs as; default: this process's. */
  user?: number;
  /** Sees the process and everything it has said on stderr so far. */
  onStderr?: (child: ChildProcess, stderr: string) => void;
}

/** Runs the built command line. A build that is under way elsewhere is waited for. */
export async function tesserae(args: readonly string[], options: RunOptions = {}): Promise<Output> {
  for (let tries = 0; ; tries++) {
    const output = await once(args, options);
    if (tries === 10 || !/ERR_MODULE_NOT_FOUND|Cannot find module|was not found in dist/.test(output.stderr))
      return output;
    await sleep(3000);
  }
}

function once(args: readonly string[], { cwd, env, user, onStderr }: RunOptions): Promise<Output> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", DEBUG: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(user !== undefined && { uid: user, gid: user }),
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    onStderr?.(child, stderr);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Builds what is not built yet. */
export function built(): void {
  if (!existsSync(main)) execFileSync("npx", ["tsdown", "--log-level", "error"], { cwd: root });
}

/** A folder of the test file's own. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "tesserae-cli-"));
  beforeAll(built);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Flags of a model so small that a run takes about a second. */
export const TINY = [
  ...["--img-size", "16", "--model-kwargs", "patch_size=4", "embed_dim=16", "depth=2", "num_heads=2"],
  ...["--crop", "pad", "-b", "8", "--lr", "2e-3", "--threads", "1", "--no-report"],
];

export const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";
