import { Command, Option } from "commander";
import { count, number } from "../flags.ts";
import { addFrozenFlags, type FrozenFlags, withFrozen } from "../frozen.ts";
import { percent, plural, print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { noteSkipped } from "../trained.ts";

interface KnnFlags extends FrozenFlags {
  neighbours: number;
  temperature?: number;
}

export const knnCommand = (): CommandDefinition => ({
  example: "knn photos --pretrained tf_efficientnet_lite0",
  command: addFrozenFlags(
    new Command("knn")
      .description(
        "judge the features of a frozen model by nearest neighbours: cosine, from the mean; nothing is trained",
      )
      .argument("<data>", "an image set, as `train` takes it")
      .addOption(new Option("-k, --neighbours <n>", "neighbours that vote").argParser(count).default(10))
      .addOption(
        new Option(
          "--temperature <value>",
          "a vote weighs exp(cosine / value), DINO's is 0.07 (default: one vote each)",
        ).argParser(number),
      ),
  ).action(run),
});

async function run(data: string, { neighbours: k, temperature, ...flags }: KnnFlags): Promise<void> {
  const { knnEvaluation } = await import("../../node/probe.ts");
  const { metrics, skipped } = await withFrozen(data, flags, (options) =>
    knnEvaluation({ ...options, k, temperature }),
  );
  noteSkipped(skipped);
  if (flags.json) return printJson({ ...metrics, k, skipped: Object.fromEntries(skipped) });
  print(`top-1 ${percent(metrics.top1)}  top-5 ${percent(metrics.top5)}`);
  print(`${plural(metrics.count, "image")}, ${plural(k, "neighbour")} each`);
}
