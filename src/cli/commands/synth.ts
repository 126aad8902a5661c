import { Command, Option } from "commander";
import { number, whole } from "../flags.ts";
import { plural, print, shellWords } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface SynthFlags {
  count: number;
  seed: number;
  size: number;
  valFraction: number;
}

export const synthCommand = (): CommandDefinition => ({
  example: "synth shapes --count 2000 --seed 1",
  command: new Command("synth")
    .description("draw the embedded image set, shapes in colour, texture and clutter, as an image folder")
    .argument("<dir>", "new folder: DIR/train/CLASS/*.png and DIR/val/CLASS/*.png")
    .addOption(new Option("--count <n>", "images in all").argParser(whole).default(2000))
    .addOption(new Option("--seed <n>", "varies every image").argParser(whole).default(1))
    .addOption(new Option("--size <pixels>", "side of each image").argParser(whole).default(32))
    .addOption(new Option("--val-fraction <part>", "part held out").argParser(number).default(0.2))
    .action(run),
});

async function run(dir: string, flags: SynthFlags): Promise<void> {
  const { writeSynth } = await import("../../node/synth.ts");
  const { classes, train, val } = await writeSynth(dir, flags);
  print(
    `${dir}: ${plural(train, "training image")} and ${val} held out, of ${plural(classes.length, "class", "classes")}`,
  );
  print(`  ${classes.join(", ")}`);
  const { size } = flags;
  const model = ["--model", "vit_tiny_patch16_224", "--img-size", String(size), "--model-kwargs"];
  const kwargs = ["patch_size=4", "embed_dim=96", "depth=4", "num_heads=3"];
  print(
    `next: tesserae train ${shellWords([dir, ...model, ...kwargs, "--crop", "pad", "--epochs", "10", "--lr", "1e-3"])}`,
  );
}
