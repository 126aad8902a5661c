import { once } from "node:events";
import { Command, Option } from "commander";
import { type EngineFlags, whole, withEngine } from "../flags.ts";
import { onInterrupt } from "../interrupt.ts";
import { note, print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { oneLine } from "../report.ts";
import { RUNS } from "../trained.ts";

interface StudioFlags extends EngineFlags {
  host: string;
  port: number;
  open?: boolean;
  json?: boolean;
}

export const studioCommand = (): CommandDefinition => ({
  example: "studio runs --open",
  command: withEngine(
    new Command("studio")
      .description("look at runs in the browser: live curves, predictions, attention, two models side by side")
      .argument("[runs...]", `run folders, and folders of run folders (default: ${RUNS})`)
      .addOption(new Option("--host <address>", "address to listen on, of this machine alone").default("127.0.0.1"))
      .addOption(new Option("--port <n>", "port to listen on, 0 for one that is free").argParser(whole).default(0))
      .option("--open", "open the page in the system's browser")
      .option("--json", 'print {"url", "port", "token"}'),
  ).action(run),
});

async function run(runs: string[], { host, port, open, json, device, threads }: StudioFlags): Promise<void> {
  const { startStudio } = await import("../../node/studio/index.ts");
  const onError = (error: unknown) =>
    warn(oneLine(error instanceof Error ? (error.stack ?? error.message) : `${error}`));
  const paths = runs.length > 0 ? runs : [RUNS];
  const studio = await startStudio({ runs: paths, host, port, engine: { device, threads }, onError });
  const interrupt = onInterrupt(note, "closing the studio");
  try {
    if (json) printJson({ url: studio.url, port: studio.port, token: studio.token });
    else print(studio.url);
    note("Open this address in a browser of this machine; Ctrl-C ends the studio");
    if (open && !(await openPage(studio.url))) warn("no browser could be opened");
    if (!interrupt.signal.aborted) await once(interrupt.signal, "abort");
  } finally {
    interrupt.release();
    await studio.close();
  }
}

async function openPage(url: string): Promise<boolean> {
  const { openBrowser } = await import("../open-browser.ts");
  return openBrowser(url);
}
