// Installs the locked dependencies where they are absent or older than the lock file.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";

const installed = "node_modules/.package-lock.json";
const fresh = () => existsSync(installed) && statSync(installed).mtimeMs >= statSync("package-lock.json").mtimeMs;

/** Runs a command with its output shown; a failure ends this process with the same code. */
export function run(command, ...args) {
  console.log(`> ${[command, ...args].join(" ")}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
  if (error) console.error(`error: ${command} cannot be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

export function install() {
  if (!fresh()) run("npm", "ci", "--no-fund", "--no-audit");
}
