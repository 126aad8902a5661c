import { Command, Option } from "commander";
import { count, type EngineFlags, withEngine } from "../flags.ts";
import { print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { newestRun } from "../trained.ts";

interface ReportFlags extends EngineFlags {
  data?: string;
  quick?: boolean;
  limit: number;
  json?: boolean;
}

export const reportCommand = (): CommandDefinition => ({
  example: "report runs/shapes",
  command: withEngine(
    new Command("report")
      .description("write a run's report.html, which stands alone, and its model card README.md")
      .argument("[run]", "run folder (default: the newest under runs/)")
      .option("--data <path>", "where the images lie now (default: as the run was told)")
      .option("--quick", "leave out what takes many runs of the model, as at the end of training")
      .addOption(new Option("--limit <n>", "held-out images at most in figures of many").argParser(count).default(128))
      .option("--json", 'print {"page", "card", "notes"}'),
  ).action(run),
});

async function run(
  path: string | undefined,
  { data, quick, limit, json, device, threads }: ReportFlags,
): Promise<void> {
  const folder = path ?? (await newestRun());
  const { createEngine } = await import("../../node/engine.ts");
  const { writeReport } = await import("../../node/report/index.ts");
  const engine = await createEngine({ device, threads });
  const meters = new Map<string, ReturnType<typeof createMeter>>();
  const close = () => {
    for (const meter of meters.values()) meter.close();
    meters.clear();
  };
  const onProgress = (what: string, done: number, total: number) => {
    if (!meters.has(what)) {
      close();
      meters.set(what, createMeter(what));
    }
    meters.get(what)?.show(done, total);
  };
  try {
    const report = await writeReport(folder, engine, { data, quick, limit, onProgress });
    close();
    report.notes.forEach(warn);
    if (json) printJson(report);
    else print(report.page);
  } finally {
    close();
    await engine.dispose();
  }
}
