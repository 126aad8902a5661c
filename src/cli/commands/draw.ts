import { extname } from "node:path";
import { Command } from "commander";
import { keyValue } from "../flags.ts";
import { print } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface DrawFlags {
  output?: string;
  modelKwargs?: Record<string, unknown>;
}

export const drawCommand = (): CommandDefinition => ({
  example: "draw vit_tiny_patch16_224 -o vit.svg",
  command: new Command("draw")
    .description("draw a model's block diagram: its stages, and the inside of each kind of block")
    .argument("<model>", "name of a model; `tesserae models` lists them")
    .option("-o, --output <file>", ".svg or .png (default: NAME.svg)")
    .option("--model-kwargs <key=value>", "options of the model, as of train; may be repeated", keyValue)
    .action(run),
});

async function run(name: string, { output = `${name}.svg`, modelKwargs = {} }: DrawFlags): Promise<void> {
  const { checkPictureName, rasterize } = await import("../../node/chart.ts");
  checkPictureName(output);
  const { createModel } = await import("../../models/index.ts");
  const { architectureSvg } = await import("../../explain/architecture/index.ts");
  const { writeFileAtomic } = await import("../../node/atomic-write.ts");
  const svg = architectureSvg(createModel(name, modelKwargs));
  const png = extname(output).toLowerCase() === ".png";
  await writeFileAtomic(output, png ? await rasterize(svg) : svg);
  print(output);
}
