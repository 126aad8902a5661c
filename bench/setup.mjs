/**
 * Makes what the bench measures against: bench/.venv (PyTorch, timm, onnxruntime from the Python package index) and
 * bench/node_modules (TF.js, jax-js). A side that cannot be had is named, and the bench goes without it.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const bench = dirname(fileURLToPath(import.meta.url));
const windows = process.platform === "win32";

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: bench, stdio: "inherit", ...options }).status === 0;

const pythons = [process.env.PYTHON, "python3", "python"].filter(Boolean);
const probe = ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"];

function python() {
  if (process.env.TESSERAE_BENCH_PYTHON) return "TESSERAE_BENCH_PYTHON is set: no environment of our own is made";
  const base = pythons.find((name) => run(name, probe, { stdio: "ignore" }));
  if (!base) return `no Python of 3.10 or newer (tried ${pythons.join(", ")}): PyTorch is not measured`;
  const venv = join(bench, ".venv");
  if (!existsSync(venv) && !run(base, ["-m", "venv", venv])) return `${base} cannot make a virtual environment`;
  const interpreter = join(venv, windows ? "Scripts/python.exe" : "bin/python");
  const install = (...what) => run(interpreter, ["-m", "pip", "install", "--disable-pip-version-check", ...what]);
  // Wheels for processors alone are a tenth of the default ones; where their index cannot be reached, the default ones.
  const index = ["--extra-index-url", "https://download.pytorch.org/whl/cpu"];
  if (!install(...index, "torch==2.15.0+cpu", "torchvision==0.29.2+cpu")) console.log("taking the default wheels");
  const complete = install("-r", join("python", "requirements.txt"));
  return complete ? `${venv} is ready` : "PyTorch could not be installed: it is not measured";
}

function javascript() {
  const npm = process.env.npm_execpath;
  const args = ["install", "--no-audit", "--no-fund"];
  const done = npm ? run(process.execPath, [npm, ...args]) : run(windows ? "npm.cmd" : "npm", args, { shell: windows });
  return done ? "the JavaScript peers are ready" : "the JavaScript peers could not be installed: they are not measured";
}

console.log([python(), javascript()].join("\n"));
