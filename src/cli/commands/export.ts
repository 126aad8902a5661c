import { stat } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { count } from "../flags.ts";
import { print } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface ExportFlags {
  output?: string;
  batch: number | "free";
  imgSize?: number;
}

export const exportCommand = (): CommandDefinition => ({
  example: "export runs/shapes -o shapes.onnx --batch free",
  command: new Command("export")
    .description("write a trained model as ONNX, with its labels and preprocessing in the file's metadata")
    .argument("<model>", "run folder (its best checkpoint) or a checkpoint's folder")
    .option("-o, --output <file>", "where to (default: the model's name with .onnx)")
    .option("--batch <n|free>", "images per run", batchOf, "free")
    .option("--img-size <pixels>", "side of the images (default: as trained); position tables are resampled", count)
    .action(run),
});

function batchOf(text: string): number | "free" {
  if (text === "free") return text;
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is neither a number nor "free".');
  return count(text);
}

async function run(path: string, { output, batch, imgSize }: ExportFlags): Promise<void> {
  const { exportFile } = await import("../../node/export-file.ts");
  const { open } = await import("../trained.ts");
  const trained = await open(path);
  const { name, inputShape, classes } = trained.spec;
  const file = output ?? `${name}.onnx`;
  await exportFile(trained, file, { batch: batch === "free" ? undefined : batch, imgSize });
  const { size } = await stat(file);
  print(`${file}: ${name}, ${(size / 2 ** 20).toFixed(1)} MiB`);
  print(
    `  image float32 [${[batch === "free" ? "N" : batch, inputShape[0], ...(imgSize ? [imgSize, imgSize] : inputShape.slice(1))].join(", ")}] -> logits, ${classes.length} classes`,
  );
}
