import { Command, Option } from "commander";
import { TesseraeError } from "../../errors.ts";
import { readConfig } from "../config.ts";
import { count, number } from "../flags.ts";
import { print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { addSettingFlags, configFlag, mergeFlags, type TrainFlags } from "../train-flags.ts";

interface LrFindFlags extends TrainFlags {
  startLr?: number;
  endLr?: number;
  numIt?: number;
  csv?: string;
  plot?: string;
  json?: boolean;
}

/** Settings that mean nothing here: taken, so that a recipe or the words of `train` can be given, but not shown. */
const RATE = /^(epochs|lr|sched|warmup|minLr|cooldown|decay|modelEma|val)/;
/** Of a run's settings those that do mean something. */
const RUN: ReadonlySet<string> = new Set(["device", "threads"]);

export const lrFindCommand = (): CommandDefinition => {
  const command = new Command("lr-find")
    .description("train while the learning rate grows, and read a rate off the curve of the loss; takes train's flags")
    .argument("[data]", "what train takes")
    .addOption(new Option("--start-lr <rate>", "first rate (default: 1e-7)").argParser(number))
    .addOption(new Option("--end-lr <rate>", "last rate (default: 10)").argParser(number))
    .addOption(new Option("--num-it <n>", "steps at most (default: 100)").argParser(count))
    .option("--csv <file>", "write a row a step")
    .option("--plot <file>", "draw the curve, .svg or .png")
    .option("--json", "print one object")
    .addOption(configFlag());
  addSettingFlags(command, (group, name) => !RATE.test(name) && (group !== "Run" || RUN.has(name)));
  command.action((data: string | undefined, flags: LrFindFlags) => run(data, flags, command));
  return { example: "lr-find shapes --config recipes/quickstart.yaml --plot lr.svg", command };
};

async function run(data: string | undefined, given: LrFindFlags, command: Command): Promise<void> {
  const { startLr, endLr, numIt, csv, plot, json, ...train } = given;
  const file = train.config === undefined ? {} : await readConfig(train.config, command);
  const { config: _, debug: __, data: named, ...flags } = mergeFlags(train, file);
  const folder = data ?? named;
  if (folder === undefined)
    throw new TesseraeError("usage", "no folder of images is named", { hint: "tesserae lr-find DATA ..." });
  const { checkPictureName, writeChart } = await import("../../node/chart.ts");
  if (plot !== undefined) checkPictureName(plot);
  const { findLr, lrChart, lrCsv, RAMP } = await import("../../node/lr-find.ts");
  const ramp = { from: startLr ?? RAMP.from, to: endLr ?? RAMP.to, steps: numIt ?? RAMP.steps };
  const meter = createMeter("learning rates");
  const result = await findLr({
    ...flags,
    data: folder,
    ramp,
    onStep: ({ step }, steps) => meter.show(step + 1, steps),
  }).finally(() => meter.close());
  if (csv !== undefined) {
    const { writeFileAtomic } = await import("../../node/atomic-write.ts");
    await writeFileAtomic(csv, lrCsv(result));
  }
  if (plot !== undefined) await writeChart(plot, lrChart(result));
  if (json) return printJson(result);
  const { valley, steep, minimum, trials, diverged } = result;
  if (valley === undefined)
    throw new TesseraeError("numeric", `the loss never fell in ${trials.length} steps`, {
      hint: "Try more steps (--num-it) or a lower --start-lr",
    });
  print(`valley   --lr ${valley.toExponential(1)}`);
  print(`steep    --lr ${(steep as number).toExponential(1)}`);
  print(`minimum  --lr ${(minimum as number).toExponential(1)}`);
  print(`${trials.length} steps, ${diverged ? "until the loss diverged" : `up to a rate of ${ramp.to}`}`);
}
