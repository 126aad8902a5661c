import { once } from "node:events";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { TesseraeError } from "../../errors.ts";
import type { NamedModel } from "../../node/studio/models.ts";
import { type EngineFlags, whole, withEngine } from "../flags.ts";
import { onInterrupt } from "../interrupt.ts";
import { note, print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { oneLine } from "../report.ts";
import { open, RUNS } from "../trained.ts";

interface StudioFlags extends EngineFlags {
  host: string;
  port: number;
  open?: boolean;
  export?: string;
  model: readonly string[];
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
      .option("--export <folder>", "write a folder that any web host serves, whose models run in the browser")
      .option("-m, --model <path>", "one more model to look through: .onnx file, weights or model on the hub", more, [])
      .option("--json", 'print {"url", "port", "token"}; with --export {"folder", "models", "runs", "bytes"}'),
  ).action(run),
});

const more = (value: string, before: readonly string[]): string[] => [...before, value];

async function run(runs: string[], flags: StudioFlags): Promise<void> {
  if (flags.export !== undefined) return exportFolder(runs, flags.export, flags);
  return serve(runs, flags);
}

/** A folder without a server. */
async function exportFolder(runs: string[], folder: string, flags: StudioFlags): Promise<void> {
  const { device = "cpu", open: opened, model, json } = flags;
  if (opened)
    throw new TesseraeError("usage", "--open is for the studio that is served", { hint: "Leave out --export" });
  if (device !== "cpu" && device !== "webgpu")
    throw new TesseraeError("usage", `a browser has no device ${device}`, { hint: "It has cpu and webgpu" });
  const { exportSite } = await import("../../node/studio/site.ts");
  const models = await openModels(model);
  const site = await exportSite(folder, { runs: foldersOf(runs, models), models, device });
  const bytes = await sizeOf(folder, site.files);
  if (json) return printJson({ folder, models: site.models.length, runs: site.runs.length, bytes });
  print(
    `${folder}: ${counted(site.models.length, "model")}, ${counted(site.runs.length, "run")}, ${mebibytes(bytes)} MiB`,
  );
  for (const { name, model, bytes } of site.models) print(`  ${name}: ${model}, ${mebibytes(bytes)} MiB`);
}

/** The models that --model names. */
async function openModels(paths: readonly string[]): Promise<NamedModel[]> {
  const models: NamedModel[] = [];
  for (const path of paths) models.push({ name: nameOf(path), trained: await open(path, { asWeights: true }) });
  return models;
}

/** Where runs are looked for: runs/ where neither a folder nor a model is named. */
const foldersOf = (runs: readonly string[], models: readonly NamedModel[]): readonly string[] =>
  runs.length > 0 || models.length > 0 ? runs : [RUNS];

const nameOf = (path: string): string => basename(path).replace(/\.onnx$/, "");
const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

async function sizeOf(folder: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  return sizes.reduce((a, b) => a + b, 0);
}

async function serve(
  runs: string[],
  { host, port, model, open: opened, json, device, threads }: StudioFlags,
): Promise<void> {
  const { startStudio } = await import("../../node/studio/index.ts");
  const onError = (error: unknown) =>
    warn(oneLine(error instanceof Error ? (error.stack ?? error.message) : `${error}`));
  const models = await openModels(model);
  const studio = await startStudio({
    runs: foldersOf(runs, models),
    models,
    host,
    port,
    engine: { device, threads },
    onError,
  });
  const interrupt = onInterrupt(note, "closing the studio");
  try {
    if (json) printJson({ url: studio.url, port: studio.port, token: studio.token });
    else print(studio.url);
    note("Open this address in a browser of this machine; Ctrl-C ends the studio");
    if (opened && !(await openPage(studio.url))) warn("no browser could be opened");
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
