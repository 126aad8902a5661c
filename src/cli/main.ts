#!/usr/bin/env node
import { createProgram } from "./program.ts";
import { exitCodeOf, quietPipes, report } from "./report.ts";

quietPipes();
const argv = process.argv.slice(2);
try {
  await createProgram().run(argv);
} catch (error) {
  report(error, { debug: argv.includes("--debug") || Boolean(process.env.DEBUG) });
  process.exitCode = exitCodeOf(error);
}
// Everything is closed by now; should something keep the process alive, it ends all the same.
setTimeout(() => process.exit(), 3000).unref();
