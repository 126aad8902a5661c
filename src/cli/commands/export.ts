import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { TesseraeError } from "../../errors.ts";
import type { ExportFileOptions, Form } from "../../node/export-file.ts";
import type { TrainedModel } from "../../node/model-files.ts";
import { RANGE_METHODS, type RangeMethod } from "../../quantize/ranges.ts";
import { count, type EngineFlags, withEngine } from "../flags.ts";
import { print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { open } from "../trained.ts";

interface ExportFlags extends EngineFlags {
  output?: string;
  format?: "onnx" | "safetensors";
  batch: number | "free";
  imgSize?: number | "free";
  half?: boolean;
  quantize?: "static" | "dynamic";
  calibrate?: string;
  calibrateImages: number;
  calibrateMethod: RangeMethod;
  weightBits: "7" | "8";
  check?: string | true;
  checkImages: number;
  json?: boolean;
}

type Weighted = TrainedModel & { kind: "weights" };

export const exportCommand = (): CommandDefinition => ({
  example: "export runs/shapes -o shapes.onnx --batch free",
  command: withEngine(
    new Command("export")
      .description("write a trained model as ONNX, with labels and preprocessing in the file, or in timm's layout")
      .argument("<model>", "run folder (its best checkpoint), checkpoint, weights, .onnx file or model on the hub")
      .option("-o, --output <path>", "where to (default: the model's name with .onnx, or as a folder)")
      .addOption(
        new Option(
          "--format <name>",
          "onnx, or safetensors: a folder of timm's layout (default: onnx, unless -o has no extension)",
        ).choices(["onnx", "safetensors"]),
      )
      .option("--batch <n|free>", "images per run", freeOr, "free")
      .option(
        "--img-size <pixels|free>",
        "side of the images (default: as trained); position tables are resampled; free where the graph allows it",
        freeOr,
      )
      .option("--half", "float16 inside, float32 in and out")
      .addOption(
        new Option(
          "--quantize <kind>",
          "8-bit integers. static: products of bytes, ranges from --calibrate; dynamic: linear layers only, no images",
        ).choices(["static", "dynamic"]),
      )
      .option("--calibrate <images>", "images, or an image set, that --quantize static takes its ranges from")
      .option("--calibrate-images <n>", "as many of them", count, 128)
      .addOption(new Option("--calibrate-method <name>", "how a range is chosen").choices(RANGE_METHODS).default("mse"))
      .addOption(
        new Option("--weight-bits <n>", "of integer weights; 8 only for processors with byte dot products (VNNI)")
          .choices(["7", "8"])
          .default("7"),
      )
      .option("--check [images]", "write nothing: compare all forms on these images (default: the run's own)")
      .option("--check-images <n>", "as many of them", count, 100)
      .option("--json", "print the table of --check as JSON"),
  ).action(run),
});

function freeOr(text: string): number | "free" {
  if (text === "free") return text;
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It is neither a number nor "free".');
  return count(text);
}

async function run(source: string, flags: ExportFlags): Promise<void> {
  checkFlags(flags);
  const trained = await weighted(source);
  if (flags.check !== undefined) return check(trained, flags);
  const { name } = trained.spec;
  const safetensors = formatOf(flags) === "safetensors";
  const path = flags.output ?? (safetensors ? name : `${name}.onnx`);
  if (safetensors) return writeFolder(path, trained, flags);
  const { exportFile } = await import("../../node/export-file.ts");
  await exportFile(trained, path, await optionsOf(trained, flags));
  print(`${path}: ${name}, ${mebibytes((await stat(path)).size)} MiB`);
  const side = (axis: 1 | 2) =>
    flags.imgSize === "free" ? "HW"[axis - 1] : (flags.imgSize ?? trained.spec.inputShape[axis]);
  const shape = [flags.batch === "free" ? "N" : flags.batch, trained.spec.inputShape[0], side(1), side(2)];
  print(`  image float32 [${shape.join(", ")}] -> logits, ${trained.spec.classes.length} classes`);
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** The model's weights: an export of ours has them too. */
async function weighted(source: string): Promise<Weighted> {
  const { withWeights } = await import("../../node/export-file.ts");
  return withWeights(await open(source, { asWeights: true }));
}

const formatOf = ({ format, output }: ExportFlags): "onnx" | "safetensors" =>
  format ?? (output !== undefined && !/\.\w+$/.test(output) ? "safetensors" : "onnx");

/** Throws TesseraeError("usage") for flags that contradict each other. */
function checkFlags(flags: ExportFlags): void {
  const { half, quantize, calibrate, imgSize, batch, check } = flags;
  const refuse = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  if (half && quantize) throw refuse("--half and --quantize are two forms: give one");
  if (quantize === "static" && calibrate === undefined && check === undefined)
    throw refuse("--quantize static needs --calibrate IMAGES", "As in --calibrate photos/train");
  if (calibrate !== undefined && quantize !== "static" && check === undefined)
    throw refuse("--calibrate is for --quantize static");
  if (formatOf(flags) === "safetensors" && (half || quantize || imgSize === "free" || batch !== "free"))
    throw refuse("timm's layout holds float32 weights: --half, --quantize, --batch and a free size are for ONNX");
}

async function writeFolder(folder: string, trained: Weighted, { imgSize }: ExportFlags): Promise<void> {
  const { resized } = await import("../../node/resized.ts");
  const { writeTimmFolder } = await import("../../node/timm-folder.ts");
  const { spec, weights } = typeof imgSize === "number" ? resized(trained, imgSize) : trained;
  await writeTimmFolder(folder, spec, weights);
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  print(`${folder}: ${spec.name}, ${mebibytes(sizes.reduce((a, b) => a + b, 0))} MiB in timm's layout`);
  print(`  timm.create_model("local-dir:${folder}", pretrained=True)`);
}

async function optionsOf(trained: Weighted, flags: ExportFlags): Promise<ExportFileOptions> {
  const { half, quantize, weightBits, imgSize, batch } = flags;
  const form: Form = half ? "float16" : (quantize ?? "float32");
  const options: ExportFileOptions = {
    ...{ form, imgSize, batch: batch === "free" ? undefined : batch, weightBits: Number(weightBits) as 7 | 8 },
  };
  if (form !== "static") return options;
  const { resized } = await import("../../node/resized.ts");
  const sized = typeof imgSize === "number" ? resized(trained, imgSize) : trained;
  const { openImages, someOf } = await import("../../node/images.ts");
  const images = someOf(await openImages(flags.calibrate as string), flags.calibrateImages);
  return { ...options, ranges: await rangesOn(images, sized, flags) };
}

type Images = Awaited<ReturnType<typeof import("../../node/images.ts")["openImages"]>>;

async function rangesOn(images: Images, trained: Weighted, { device, threads, calibrateMethod }: ExportFlags) {
  const { planOf } = await import("../../node/export-file.ts");
  const { calibrate } = await import("../../node/calibrate.ts");
  const { imageLoader } = await import("../../node/images.ts");
  const { createEngine } = await import("../../node/engine.ts");
  const backend = await createEngine({ device, threads });
  const loader = imageLoader(images, trained.spec, Math.min(4, images.samples.length));
  const meter = createMeter("calibrating");
  try {
    return await calibrate(planOf(trained), trained.spec, loader, backend, {
      method: calibrateMethod,
      onBatch: meter.show,
    });
  } finally {
    meter.close();
    await loader.close();
    await backend.dispose();
  }
}

async function check(trained: Weighted, flags: ExportFlags): Promise<void> {
  const { openImages, someOf, imageLoader } = await import("../../node/images.ts");
  const { compareForms } = await import("../../node/compare-forms.ts");
  const { createEngine } = await import("../../node/engine.ts");
  const { resized } = await import("../../node/resized.ts");
  const sized = typeof flags.imgSize === "number" ? resized(trained, flags.imgSize) : trained;
  const all = await openImages(await imagesOf(trained, flags.check as string | true));
  const shown = someOf(all, flags.checkImages);
  const candidates = await candidatesOf(sized, flags, await calibrationImages(all, shown, flags));
  const backend = await createEngine(flags);
  const loader = imageLoader(shown, sized.spec, 1);
  const meter = createMeter("comparing");
  try {
    const rows = await compareForms(candidates, sized.spec, loader, backend, meter.show);
    meter.close();
    if (flags.json) return printJson({ model: sized.spec.name, images: shown.samples.length, forms: rows });
    for (const line of table(
      ["form", "MiB", "same top-1", "logits differ by", "probabilities by", "ms an image"],
      rows.map((r) => [
        ...[r.form, mebibytes(r.bytes), `${r.agreement.toFixed(1)} %`, r.logits.toPrecision(2)],
        ...[r.probability.toPrecision(2), r.milliseconds.toFixed(1)],
      ]),
    ))
      print(line);
  } finally {
    meter.close();
    await loader.close();
    await backend.dispose();
  }
}

/** The images that were named, else those that the run was trained on. */
async function imagesOf({ path }: Weighted, given: string | true): Promise<string> {
  if (given !== true) return given;
  const { runData } = await import("../../node/run-folder.ts");
  const data = await runData(path);
  if (data === undefined)
    throw new TesseraeError("usage", "--check needs images: this is no run that names its own", {
      hint: "As in --check photos/val",
    });
  return data;
}

/** Images to calibrate with: those named, else such as are not compared. */
async function calibrationImages(
  all: Images,
  shown: Images,
  { calibrate, calibrateImages }: ExportFlags,
): Promise<Images> {
  const { openImages, someOf } = await import("../../node/images.ts");
  if (calibrate !== undefined) return someOf(await openImages(calibrate), calibrateImages);
  const compared = new Set(shown.samples);
  const rest = all.samples.filter((sample) => !compared.has(sample));
  return rest.length > 0 ? someOf({ ...all, samples: rest }, calibrateImages) : shown;
}

/** Every form, float32 first, and what timm's layout reads back as. */
async function candidatesOf(trained: Weighted, flags: ExportFlags, images: Images) {
  const { toOnnx } = await import("../../node/export-file.ts");
  const weightBits = Number(flags.weightBits) as 7 | 8;
  const ranges = await rangesOn(images, trained, flags);
  const forms = [
    ["ONNX float32", { form: "float32" }],
    ["ONNX float16", { form: "float16" }],
    ["ONNX int8 dynamic", { form: "dynamic", weightBits }],
    ["ONNX int8 static", { form: "static", ranges, weightBits }],
  ] as const;
  const written = forms.map(([form, options]) => {
    const onnx = toOnnx(trained, options);
    return { form, onnx, bytes: onnx.model.length + (onnx.external?.chunks.reduce((n, c) => n + c.length, 0) ?? 0) };
  });
  const copy = await readBack(trained);
  return copy ? [...written, { form: "timm's layout", onnx: toOnnx(copy.trained), bytes: copy.bytes }] : written;
}

/** The model written in timm's layout and opened again; undefined for one that timm has no architecture for. */
async function readBack(trained: Weighted): Promise<{ trained: TrainedModel; bytes: number } | undefined> {
  const { IMPORTED } = await import("../../models/imported.ts");
  if (trained.spec.name === IMPORTED) return undefined;
  const { mkdtemp, rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { writeTimmFolder } = await import("../../node/timm-folder.ts");
  const folder = await mkdtemp(join(tmpdir(), "tesserae-export-"));
  try {
    await writeTimmFolder(folder, trained.spec, trained.weights);
    const { size } = await stat(join(folder, "model.safetensors"));
    return { trained: await open(folder), bytes: size };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
