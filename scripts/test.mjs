// npm test: installs, builds, lints, type-checks and tests, on a fresh clone too.
import { install, run } from "./install.mjs";

install();
run("npx", "tsdown", "--log-level", "warn");
run("npx", "vite", "build", "studio", "--logLevel", "warn");
run("npx", "biome", "check", ".");
run("npm", "run", "typecheck");
run("npx", "publint", "--strict");
run("npx", "vitest", "run", ...process.argv.slice(2));
