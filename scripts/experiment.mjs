// npm run experiment -- NAME DATA: the experiments of recipes/experiments, from the built library.
import { existsSync } from "node:fs";
import { run } from "./install.mjs";

if (!existsSync("dist/cli/experiment/main.js")) run("npx", "tsdown", "--log-level", "error");
await import("../dist/cli/experiment/main.js");
