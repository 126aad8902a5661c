import { relative } from "node:path";
import { Command, Option } from "commander";
import { TesseraeError } from "../../errors.ts";
import type { PreviewTile } from "../../node/preview.ts";
import { readConfig } from "../config.ts";
import { count, whole } from "../flags.ts";
import { plural, print, printJson, table, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { addSettingFlags, configFlag, mergeFlags, type TrainFlags } from "../train-flags.ts";
import { noteSkipped } from "../trained.ts";

interface PreviewFlags extends Omit<TrainFlags, "output"> {
  output: string;
  count: number;
  epoch: number;
  originals?: boolean;
  json?: boolean;
}

/** Settings that decide what the sheet shows; the others are taken too, so that a recipe can be shown. */
const tells = (group: string, name: string): boolean =>
  ["Dataset", "Augmentation", "Data"].includes(group) ||
  /^(mixup|cutmix)/.test(name) ||
  ["model", "imgSize", "inChans", "batchSize"].includes(name);

export const previewCommand = (): CommandDefinition => {
  const command = new Command("preview")
    .description("draw the images as training sees them: a contact sheet, by the flags of train")
    .argument("[data]", "an image set, as for train")
    .addOption(new Option("-o, --output <file>", "the sheet: .png, .jpg or .webp").default("preview.png"))
    .addOption(new Option("--count <n>", "images shown").argParser(count).default(32))
    .addOption(new Option("--epoch <n>", "the epoch, from 0, whose first images are shown").argParser(whole).default(0))
    .option("--originals", "each image as it is to the left of what training sees")
    .option("--json", 'print {"output", "width", "height", "tiles", "skipped"}')
    .addOption(configFlag())
    .addHelpText("after", "\nThe other flags of train are taken as well.");
  addSettingFlags(command, tells);
  command.action((data: string | undefined, flags: PreviewFlags) => run(data, flags, command));
  return { example: "preview shapes --aa rand-m9-mstd0.5-inc1 --img-size 32 --originals -o sheet.png", command };
};

async function run(data: string | undefined, given: PreviewFlags, command: Command): Promise<void> {
  const { output, count, epoch, originals, json, ...flags } = given;
  const config = flags.config === undefined ? {} : await readConfig(flags.config, command);
  const { config: _, debug: __, ...settings } = mergeFlags(flags, config);
  const path = data ?? settings.data;
  if (path === undefined)
    throw new TesseraeError("usage", "no image set is named", { hint: "tesserae preview DATA ..." });
  const { preview } = await import("../../node/preview.ts");
  const result = await preview({ ...settings, data: path, output, count, epoch, originals });
  result.notes.forEach(warn);
  noteSkipped(result.skipped);
  const { width, height, tiles, skipped } = result;
  if (json) return printJson({ output, width, height, tiles, skipped: Object.fromEntries(skipped) });
  print(`${output}: ${plural(tiles.length, "image")}, row by row; files of ${result.root}`);
  for (const line of table(
    ["", "class", "file", "mixed with"],
    tiles.map((tile, i) => [i + 1, ...row(tile, result.root)]),
  ))
    print(line);
}

const row = ({ path, label, mixed }: PreviewTile, root: string): string[] => [
  label,
  relative(root, path),
  mixed ? `${mixed.label}, ${(100 * mixed.part).toFixed(0)} %${mixed.box ? " of the area" : ""}` : "",
];
