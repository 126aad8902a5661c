/** Compiles src and bench into bench/dist (Node 20 runs no TypeScript), then runs one of its scripts. */
import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const bench = dirname(fileURLToPath(import.meta.url));

export async function launch(script) {
  const cli = fileURLToPath(new URL("./run.mjs", import.meta.resolve("tsdown")));
  const config = join(bench, "tsdown.config.ts");
  // What the compiler says goes to stderr: stdout is for results.
  const built = spawnSync(process.execPath, [cli, "-c", config, "--logLevel", "error"], {
    cwd: dirname(bench),
    stdio: ["ignore", 2, 2],
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
  copyFileSync(join(dirname(bench), "package.json"), join(bench, "dist", "package.json")); // src/node/version.ts reads it
  await import(pathToFileURL(join(bench, "dist", "bench", `${script}.js`)).href);
}
