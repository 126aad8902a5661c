import { Command } from "commander";
import { VERSION } from "../node/version.ts";
import { benchCommand } from "./commands/bench.ts";
import { compareCommand } from "./commands/compare.ts";
import { downloadCommand } from "./commands/download.ts";
import { drawCommand } from "./commands/draw.ts";
import { embedCommand } from "./commands/embed.ts";
import { evalCommand } from "./commands/eval.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { finetuneCommand } from "./commands/finetune.ts";
import { infoCommand } from "./commands/info.ts";
import { knnCommand } from "./commands/knn.ts";
import { lrFindCommand } from "./commands/lr-find.ts";
import { modelsCommand } from "./commands/models.ts";
import { predictCommand } from "./commands/predict.ts";
import { previewCommand } from "./commands/preview.ts";
import { probeCommand } from "./commands/probe.ts";
import { profileCommand } from "./commands/profile.ts";
import { reportCommand } from "./commands/report.ts";
import { robustnessCommand } from "./commands/robustness.ts";
import { searchCommand } from "./commands/search.ts";
import { studioCommand } from "./commands/studio.ts";
import { sweepCommand } from "./commands/sweep.ts";
import { synthCommand } from "./commands/synth.ts";
import { trainCommand } from "./commands/train.ts";
import { tuneCommand } from "./commands/tune.ts";
import { verifyCommand } from "./commands/verify.ts";
import { walkCommand } from "./commands/walk.ts";
import { joinPairs } from "./flags.ts";
import { oneLine } from "./report.ts";

/** A command and a call of it that works. Its action loads what it needs: help is quick. */
export interface CommandDefinition {
  readonly command: Command;
  /** Words after "tesserae", as a shell reads them. */
  readonly example: string;
}

const COMMANDS: readonly (() => CommandDefinition)[] = [
  trainCommand,
  lrFindCommand,
  previewCommand,
  finetuneCommand,
  probeCommand,
  knnCommand,
  evalCommand,
  compareCommand,
  sweepCommand,
  predictCommand,
  embedCommand,
  searchCommand,
  explainCommand,
  robustnessCommand,
  reportCommand,
  studioCommand,
  drawCommand,
  walkCommand,
  exportCommand,
  downloadCommand,
  modelsCommand,
  infoCommand,
  verifyCommand,
  synthCommand,
  benchCommand,
  profileCommand,
  tuneCommand,
];

export interface Program {
  readonly command: Command;
  readonly definitions: readonly CommandDefinition[];
  /** Parses the words after "tesserae" and runs the command. */
  run(argv: readonly string[]): Promise<void>;
}

export function createProgram(): Program {
  const program = new Command("tesserae")
    .description("Vision backbones for TypeScript, training included.")
    .version(VERSION, "-V, --version")
    .helpCommand(false)
    .addHelpText("after", "\nTry it:\n  tesserae synth shapes\n  tesserae train --help");
  const definitions = COMMANDS.map((define) => define());
  for (const { command, example } of definitions) {
    command
      .option("--debug", "show where an error came from")
      .addHelpText("after", `\nExample:\n  tesserae ${example}`)
      .allowExcessArguments(false);
    program.addCommand(command);
  }
  // addCommand does not hand settings down.
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ outputError: (text, write) => write(`${oneLine(text)}\n`) });
  return {
    command: program,
    definitions,
    run: async (argv) => void (await program.parseAsync(joinPairs(argv), { from: "user" })),
  };
}
