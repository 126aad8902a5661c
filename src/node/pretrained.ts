import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import { IMPORTED } from "../models/imported.ts";
import { createModel, type ModelOptions } from "../models/index.ts";
import type { Model, Preprocessing } from "../models/model.ts";
import { type AdaptOptions, adaptWeights, inferModel, type LoadReport } from "../models/pretrained.ts";
import { type ModelSpec, specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import type { HostTensor } from "../weights/host-tensor.ts";
import { renameTensors } from "../weights/layouts/index.ts";
import { type ModelConfig, parseConfig, parseImageProcessor } from "./model-config.ts";
import { readWeightFile } from "./weight-files.ts";

/** Weights that others published, or a run of ours, under our names. */
export interface Pretrained {
  readonly path: string;
  /** Whose names the file had: "timm", "torchvision ViT"... */
  readonly layout: string;
  readonly tensors: Weights;
  /** Tensors of the file that are nothing of ours. */
  readonly unused: readonly string[];
  /** The model it says or is found to be of; absent where none of ours fits. */
  readonly model?: string;
  readonly options: ModelOptions;
  readonly preprocessing: Partial<Preprocessing>;
  readonly classes?: readonly string[];
  readonly descriptions?: readonly string[];
  readonly license?: string;
  /** Other models that the tensors would fit as well. */
  readonly others: readonly string[];
  /** What was found in the file and what was assumed, a line each. */
  readonly notes?: readonly string[];
}

const INDEX = "model.safetensors.index.json";
/** In the order in which a folder is searched. */
const NAMES = [
  "model.safetensors",
  INDEX,
  "pytorch_model.bin",
  "open_clip_model.safetensors",
  "model.pth",
  "weights.npz",
];

const json = async (path: string): Promise<unknown> => {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new TesseraeError("weights", "is not JSON", { where: path });
  }
};

/** The files that hold a folder's weights: one, or the parts of an index. */
async function weightsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const found = NAMES.find((name) => names.includes(name)) ?? onlyWeights(names);
  if (!found)
    throw new TesseraeError("weights", "holds no weights", { where: folder, hint: `Looked for ${NAMES.join(", ")}` });
  const path = join(folder, found);
  return found === INDEX ? partsOf(await json(path), path) : [path];
}

/** The parts that an index of large weights names: files beside it. */
function partsOf(index: unknown, path: string): string[] {
  const map = (index as { weight_map?: unknown } | undefined)?.weight_map;
  const names = typeof map === "object" && map !== null ? [...new Set(Object.values(map))] : [];
  const plain = (name: unknown): name is string => typeof name === "string" && /^[\w-][\w.-]*\.safetensors$/.test(name);
  if (names.length === 0 || !names.every(plain))
    throw new TesseraeError("weights", "names no files of weights beside it", { where: path });
  return names.map((name) => join(dirname(path), name));
}

/** A folder's only file of weights, whatever its name. */
function onlyWeights(names: readonly string[]): string | undefined {
  const files = names.filter((name) => /\.(safetensors|pth|npz)$/.test(name));
  return files.length === 1 ? files[0] : undefined;
}

/** Opens a folder in timm's or transformers' Hub layout. Throws TesseraeError("io" | "weights"). */
export async function openPretrainedFolder(folder: string): Promise<Pretrained> {
  const configPath = join(folder, "config.json");
  const config = await json(configPath);
  const processor = parseImageProcessor(await json(join(folder, "preprocessor_config.json")));
  const parsed = config === undefined ? undefined : parseConfig(config, configPath);
  return fromFiles(await weightsIn(folder), folder, parsed, processor);
}

/** Opens a .safetensors, .pth, .bin or .npz file. Throws TesseraeError("io" | "weights"). */
export const openPretrainedFile = (path: string): Promise<Pretrained> => fromFiles([path], path);

async function fromFiles(
  files: readonly string[],
  path: string,
  config?: ModelConfig,
  processor: Partial<Preprocessing> = {},
): Promise<Pretrained> {
  const { layout, tensors, unused } = renameTensors(await readParts(files, path), path);
  const inferred = config?.architecture === undefined ? inferModel(tensors, layout.models) : undefined;
  const known = config?.architecture ?? inferred?.name;
  return {
    path,
    layout: layout.name,
    tensors,
    unused,
    model: known,
    options: { ...inferred?.options, ...(config?.architecture === undefined ? {} : config.options) },
    preprocessing: { ...config?.preprocessing, ...processor },
    classes: config?.classes,
    descriptions: config?.descriptions,
    license: config?.license,
    others: inferred?.others ?? [],
  };
}

async function readParts(files: readonly string[], where: string): Promise<Map<string, HostTensor>> {
  const all = new Map<string, HostTensor>();
  for (const file of files)
    for (const [name, tensor] of await readWeightFile(file)) {
      if (all.has(name)) throw new TesseraeError("weights", `two of its files hold ${JSON.stringify(name)}`, { where });
      all.set(name, tensor);
    }
  return all;
}

/** The model that the weights were made for, with their own preprocessing. Throws TesseraeError("weights" | "usage"). */
export function pretrainedModel(source: Pretrained, options: ModelOptions = {}, name = source.model): Model {
  if (name === undefined)
    throw new TesseraeError("weights", `its tensors (${source.layout}) are of no model that tesserae knows`, {
      where: source.path,
      hint: "Name the model with --model, and what it changes with --model-kwargs",
    });
  const own = name === source.model ? source.options : {};
  const model = createModel(name, { ...known(name, own), ...given(options) });
  return { ...model, preprocessing: { ...model.preprocessing, ...source.preprocessing } };
}

const given = (options: ModelOptions) => Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));

/** Of a file's options those that the model has: others are for timm's code. */
function known(name: string, options: ModelOptions): ModelOptions {
  if (name === IMPORTED) return options;
  const defaults = createModel(name).options;
  return Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(defaults, key)));
}

/**
 * Weights for a model from a source: see adaptWeights. Nothing that is missing or left over goes unsaid: it is an error,
 * or in the report. Throws TesseraeError("weights").
 */
export function loadPretrained(
  model: Model,
  source: Pretrained,
  options: AdaptOptions = {},
): { weights: Map<string, TensorData>; report: LoadReport } {
  const { weights, report } = adaptWeights(model, source.tensors, { where: source.path, ...options });
  return { weights, report: { ...report, unused: [...report.unused, ...source.unused] } };
}

/** A report in lines for people; what needs no attention is not in it. */
export function reportLines(source: Pretrained, report: LoadReport): string[] {
  const list = (names: readonly string[]) => names.slice(0, 4).join(", ") + (names.length > 4 ? ", ..." : "");
  const line = (names: readonly string[], what: string) => (names.length > 0 ? [`${what}: ${list(names)}`] : []);
  return [
    `${report.taken} tensors from ${source.path} (${source.layout}${source.license ? `, license ${source.license}` : ""})`,
    ...(source.notes ?? []),
    ...line(report.resampled, `${report.resampled.length} position tables resampled`),
    ...line(report.channels, "first convolution adapted to the number of channels"),
    ...line(report.freshHead, "the classifier begins anew"),
    ...line(report.fresh, `${report.fresh.length} tensors are not in the file and begin anew`),
    ...line(report.unused, `${report.unused.length} tensors of the file are not used`),
  ];
}

/** The spec of a source's model: labels, descriptions, license. */
export function pretrainedSpec(source: Pretrained, model: Model): ModelSpec {
  const fits = source.classes?.length === model.numClasses;
  const classes = fits ? (source.classes as string[]) : Array.from({ length: model.numClasses }, (_, i) => String(i));
  return {
    ...specOf(model, classes),
    ...(fits && source.descriptions && { descriptions: source.descriptions }),
    ...(source.license && { license: source.license }),
  };
}
