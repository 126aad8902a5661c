import { Command } from "commander";
import { type EngineFlags, withEngine } from "../flags.ts";
import { print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { newestRun } from "../trained.ts";

interface ReportFlags extends EngineFlags {
  data?: string;
  json?: boolean;
}

export const reportCommand = (): CommandDefinition => ({
  example: "report runs/shapes",
  command: withEngine(
    new Command("report")
      .description("write a run's report.html, which stands alone, and its model card README.md")
      .argument("[run]", "run folder (default: the newest under runs/)")
      .option("--data <path>", "where the images lie now (default: as the run was told)")
      .option("--json", 'print {"page", "card", "notes"}'),
  ).action(run),
});

async function run(path: string | undefined, { data, json, device, threads }: ReportFlags): Promise<void> {
  const folder = path ?? (await newestRun());
  const { createEngine } = await import("../../node/engine.ts");
  const { writeReport } = await import("../../node/report/index.ts");
  const engine = await createEngine({ device, threads });
  const meter = createMeter("evaluating");
  try {
    const report = await writeReport(folder, engine, { data, onBatch: (done, total) => meter.show(done, total) });
    meter.close();
    report.notes.forEach(warn);
    if (json) printJson(report);
    else print(report.page);
  } finally {
    meter.close();
    await engine.dispose();
  }
}
