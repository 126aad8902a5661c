import { Command, Option } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import { type EngineFlags, whole, withEngine } from "../flags.ts";
import { note, print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { Exit, FAILED, oneLine } from "../report.ts";
import { open } from "../trained.ts";

interface ExplainFlags extends EngineFlags {
  figure: string[];
  class?: string;
  layer?: string;
  against?: string;
  output: string;
  seed: number;
  json?: boolean;
}

const names = (text: string, before: string[] = []): string[] => [...before, ...text.split(",").filter(Boolean)];

export const explainCommand = (): CommandDefinition => ({
  example: "explain runs/shapes shapes/val/star/00000.png --figure rollout,gradcam",
  command: withEngine(
    new Command("explain")
      .description("draw what a model looks at, and what it learned")
      .argument("<model>", "run folder, checkpoint or file of weights")
      .argument("[image...]", "image files; figures of weights alone need none")
      .addOption(
        new Option("--figure <names>", "figures, by commas; all: every one that the model allows; list: their names")
          .argParser(names)
          .default([], "all"),
      )
      .option("--class <name>", "name or number of the class to explain (default: the model's answer)")
      .option("--layer <path>", "module to look at, as blocks.11 or layer4 (default: the figure's own choice)")
      .option("--against <model>", "another model, for the figure cka: layers of one against those of the other")
      .option("-o, --output <dir>", "folder of NAME.svg, NAME.png and NAME.json", "figures")
      .addOption(new Option("--seed <n>", "of figures that draw random numbers").argParser(whole).default(0))
      .option("--json", 'print a line per figure: {"figure", "svg", "png", "json"}'),
  ).action(run),
});

async function run(model: string, images: string[], flags: ExplainFlags): Promise<void> {
  const { FIGURES, figureNames } = await import("../../explain/index.ts");
  if (flags.figure.includes("list")) return list();
  const all = flags.figure.length === 0 || flags.figure.includes("all");
  const wanted = all ? figureNames.filter((name) => images.length > 0 || !FIGURES[name].images) : flags.figure;
  const unknown = wanted.find((name) => !Object.hasOwn(FIGURES, name));
  if (unknown !== undefined)
    throw new TesseraeError("usage", `there is no figure ${unknown}`, { hint: `There are ${figureNames.join(", ")}` });
  const needy = wanted.find((name) => FIGURES[name].images);
  if (images.length === 0 && needy)
    throw new TesseraeError("usage", `the figure ${needy} is drawn of images: name some`);
  const failed = await draw(model, images, wanted, all, flags);
  if (failed > 0) throw new Exit(FAILED);
}

async function list(): Promise<void> {
  const { FIGURES, figureNames } = await import("../../explain/index.ts");
  for (const name of figureNames)
    print(`${pc.bold(name.padEnd(22))} ${FIGURES[name].title}. ${pc.dim(FIGURES[name].source)}`);
}

/** Draws figures; returns how many were asked for by name and could not be drawn. */
async function draw(
  path: string,
  images: readonly string[],
  wanted: readonly string[],
  all: boolean,
  { output, layer, seed, json, device, threads, against, class: target }: ExplainFlags,
): Promise<number> {
  const trained = await open(path);
  const { createEngine } = await import("../../node/engine.ts");
  const { picturesOf, subjectOf, writeFigure } = await import("../../node/explain.ts");
  const backend = await createEngine({ device, threads });
  try {
    const subject = await subjectOf(trained, backend);
    const index = target === undefined ? undefined : classIndex(target, trained.spec.classes, subject.classes);
    const pictures = await picturesOf(subject, trained.spec, images, index);
    for (const { name, target } of pictures) note(`${name}: ${subject.classes[target] ?? target}`);
    const other = against === undefined ? undefined : await open(against);
    const rival = other && (await subjectOf(other, backend));
    const compared = other && rival && { ...rival, pictures: await picturesOf(rival, other.spec, images, 0) };
    let failed = 0;
    for (const name of wanted) {
      try {
        const files = await writeFigure(name, { ...subject, pictures, layer, seed, against: compared }, output);
        if (json) printJson({ figure: name, svg: files.svg, png: files.png, json: files.json });
        else print(files.svg);
      } catch (error) {
        if (!(error instanceof TesseraeError && error.code === "model")) throw error;
        if (all) note(pc.dim(`${name}: left out, ${oneLine(error.message)}`));
        else {
          warn(`${name}: ${oneLine(error.message)}`);
          failed++;
        }
      }
    }
    return failed;
  } finally {
    await backend.dispose();
  }
}

function classIndex(text: string, classes: readonly string[], descriptions: readonly string[]): number {
  const index = [classes.indexOf(text), descriptions.indexOf(text), /^\d+$/.test(text) ? Number(text) : -1].find(
    (i) => i >= 0,
  );
  if (index === undefined || index >= classes.length)
    throw new TesseraeError("usage", `the model knows no class ${text}`, {
      hint: `It knows ${classes.slice(0, 8).join(", ")}${classes.length > 8 ? ", ..." : ""}`,
    });
  return index;
}
