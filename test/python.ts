import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const made = fileURLToPath(new URL("../bench/.venv/bin/python", import.meta.url));

/** TESSERAE_PYTHON, the one that `npm run bench:setup` makes, or the system's. */
export const python = process.env.TESSERAE_PYTHON ?? (existsSync(made) ? made : "python3");

/** Whether it can import a module; says so where it cannot, since tests are skipped then. */
export async function hasModule(name: string, test: string): Promise<boolean> {
  const has = await run(python, ["-c", `import ${name}`]).then(
    () => true,
    () => false,
  );
  if (!has) console.warn(`${test} is skipped: no Python with ${name} (bench:setup, or TESSERAE_PYTHON)`);
  return has;
}

/** What a script prints, as JSON. */
export async function pythonJson<T>(script: string, ...args: string[]): Promise<T> {
  const { stdout } = await run(python, ["-W", "ignore", "-c", script, ...args], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as T;
}
