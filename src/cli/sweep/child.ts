/**
 * The command line in a process of a sweep's: child.js train ... What goes wrong is told to the parent as { error }. Should
 * the parent end, however it ends, the run stops and saves as on Ctrl-C.
 */
import { createProgram } from "../program.ts";
import { Exit, exitCodeOf, oneLine, report } from "../report.ts";

process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();
try {
  await createProgram().run(process.argv.slice(2));
} catch (error) {
  report(error, { debug: Boolean(process.env.DEBUG) });
  process.exitCode = exitCodeOf(error);
  if (!(error instanceof Exit))
    process.send?.({ error: oneLine(error instanceof Error ? error.message : String(error)) });
}
setTimeout(() => process.exit(), 3000).unref();
