import { Command, Option } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import type { Figure, Picture, Subject } from "../../explain/index.ts";
import type { ModelSpec } from "../../models/spec.ts";
import { count, type EngineFlags, globsOf, whole, withEngine } from "../flags.ts";
import { type HeldOut, type HeldOutFlags, heldOut, withHeldOut, withLabelsOf } from "../held-out.ts";
import { note, plural, print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { Exit, FAILED, oneLine } from "../report.ts";
import { noteSkipped, open } from "../trained.ts";

interface ExplainFlags extends EngineFlags, HeldOutFlags {
  figure: string[];
  class?: string;
  layer?: string;
  against?: string;
  output: string;
  seed: number;
  limit: number;
  json?: boolean;
}

export const explainCommand = (): CommandDefinition => ({
  example: "explain runs/shapes shapes/val/star/00000.png --figure rollout,gradcam",
  command: withEngine(
    withHeldOut(
      new Command("explain")
        .description("draw what a model looks at, and what it learned")
        .argument("<model>", "run folder, checkpoint or file of weights")
        .argument("[image...]", "image files, or an image set; figures of weights alone need none"),
    )
      .addOption(
        new Option("--figure <names>", "figures, by commas; all: every one that the model allows; list: their names")
          .argParser(globsOf)
          .default([], "all"),
      )
      .option("--class <name>", "name or number of the class to explain (default: the model's answer)")
      .option("--layer <path>", "module to look at, as blocks.11 or layer4 (default: the figure's own choice)")
      .option("--against <model>", "another model, for the figure cka: layers of one against those of the other")
      .addOption(new Option("--limit <n>", "images of a set at most").argParser(count).default(256))
      .option("-o, --output <dir>", "folder of NAME.svg, NAME.png and NAME.json", "figures")
      .addOption(new Option("--seed <n>", "of figures that draw random numbers").argParser(whole).default(0))
      .option("--json", 'print a line per figure: {"figure", "svg", "png", "json"}'),
  ).action(run),
});

async function run(model: string, images: string[], flags: ExplainFlags): Promise<void> {
  const { FIGURES, figureNames } = await import("../../explain/index.ts");
  if (flags.figure.includes("list")) return list();
  const all = flags.figure.length === 0 || flags.figure.includes("all");
  const set = await imageSet(images);
  const allowed = ({ images: drawn, set: ofSets }: Figure) =>
    ofSets ? set !== undefined : images.length > 0 || !drawn;
  const wanted = all ? figureNames.filter((name) => allowed(FIGURES[name])) : flags.figure;
  const unknown = wanted.find((name) => !Object.hasOwn(FIGURES, name));
  if (unknown !== undefined)
    throw new TesseraeError("usage", `there is no figure ${unknown}`, { hint: `There are ${figureNames.join(", ")}` });
  const needy = wanted.find((name) => FIGURES[name].images);
  if (images.length === 0 && needy)
    throw new TesseraeError("usage", `the figure ${needy} is drawn of images: name some`);
  const failed = await draw(model, { images, set }, wanted, all, flags);
  if (failed > 0) throw new Exit(FAILED);
}

/** The image set that is named in place of images; undefined where those are files. Throws TesseraeError("usage") for both. */
async function imageSet(images: readonly string[]): Promise<string | undefined> {
  const { stat } = await import("node:fs/promises");
  const folders = await Promise.all(
    images.map(
      async (path) =>
        /\.(parquet|csv)$/i.test(path) || ((await stat(path).catch(() => undefined))?.isDirectory() ?? false),
    ),
  );
  if (!folders.includes(true)) return undefined;
  if (images.length > 1)
    throw new TesseraeError("usage", "is an image set: name it alone, or files", {
      where: images[folders.indexOf(true)],
    });
  return images[0];
}

async function list(): Promise<void> {
  const { FIGURES, figureNames } = await import("../../explain/index.ts");
  for (const name of figureNames)
    print(`${pc.bold(name.padEnd(22))} ${FIGURES[name].title}. ${pc.dim(FIGURES[name].source)}`);
}

interface Asked {
  readonly images: readonly string[];
  /** In place of `images`. */
  readonly set?: string;
}

/** Draws figures; returns how many were asked for by name and could not be drawn. */
async function draw(
  path: string,
  asked: Asked,
  wanted: readonly string[],
  all: boolean,
  flags: ExplainFlags,
): Promise<number> {
  const { output, layer, seed, json, device, threads, against, class: target } = flags;
  const trained = await open(path);
  const held = asked.set === undefined ? undefined : await heldOut(path, asked.set, flags);
  const { createEngine } = await import("../../node/engine.ts");
  const { subjectOf, writeFigure } = await import("../../node/explain.ts");
  const { picturesFor } = await import("../../explain/figure.ts");
  const { FIGURES } = await import("../../explain/index.ts");
  const backend = await createEngine({ device, threads });
  try {
    const subject = await subjectOf(trained, backend);
    const index = target === undefined ? undefined : classIndex(target, trained.spec.classes, subject.classes);
    const pictures = await look(subject, trained.spec, asked, held, flags, index);
    const other = against === undefined ? undefined : await open(against);
    const rival = other && (await subjectOf(other, backend));
    const seen = other && rival && (await look(rival, other.spec, asked, held, flags, 0));
    let failed = 0;
    for (const name of wanted) {
      const of = (list: readonly Picture[]) => (held ? picturesFor(FIGURES[name], list) : list);
      const compared = rival && seen && { ...rival, pictures: of(seen) };
      try {
        const context = { ...subject, pictures: of(pictures), layer, seed, against: compared };
        const files = await writeFigure(name, context, output);
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

/** The images as a model sees them; a line for each file says what it takes it for, and how many of a set there are. */
async function look(
  subject: Subject,
  spec: ModelSpec,
  { images }: Asked,
  held: HeldOut | undefined,
  { limit }: ExplainFlags,
  target?: number,
): Promise<readonly Picture[]> {
  const { picturesOf, picturesOfSet } = await import("../../node/explain.ts");
  if (!held) {
    const pictures = await picturesOf(subject, spec, images, target);
    for (const { name, target: is } of pictures) note(`${name}: ${subject.classes[is] ?? is}`);
    return pictures;
  }
  const dataset = withLabelsOf(spec.classes, held.dataset);
  const { pictures, skipped } = await picturesOfSet(subject, spec, dataset, { limit, target });
  noteSkipped(skipped);
  note(`${plural(pictures.length, "image")} (${held.part})`);
  return pictures;
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
