import { TesseraeError } from "../errors.ts";
import type { ExternalFiles } from "../graph/onnx-tensor.ts";
import { program } from "../graph/program.ts";
import type { Tensor } from "../graph/tensor.ts";
import { isFloat, showShape, type TensorData } from "../graph/types.ts";
import { findHead, type Head } from "../onnx/head.ts";
import { rolesOf } from "../onnx/parameters.ts";
import { type ReadGraph, readOnnx } from "../onnx/read.ts";
import { recognise } from "../onnx/recognise.ts";
import { ASSUMED, IMPORTED, importedModel, type SlotRole, writeSkeleton } from "./imported.ts";
import type { Model, Preprocessing } from "./model.ts";

export interface ImportOptions {
  /** Files beside the model that hold its weights, by the location that the model names. */
  readonly files?: ExternalFiles;
  /** Side of the images, or [height, width], where the file leaves them open; default 224. */
  readonly imgSize?: number | readonly [number, number];
  /** Another number of classes replaces the last layer; 0 leaves it out. Default: the file's. */
  readonly numClasses?: number;
  /** Name of the output that holds the scores; default: the first that is a vector an image. */
  readonly output?: string;
  /** Name of the tensor to classify by, where the end of the file is no linear layer. */
  readonly features?: string;
  /** Preprocessing that the file does not tell; default ImageNet's mean and deviation. */
  readonly preprocessing?: Partial<Preprocessing>;
}

export interface Imported {
  readonly model: Model;
  /** The file's weights under the model's names. A new head has none: `initialize(model, seed)` makes them. */
  readonly weights: ReadonlyMap<string, TensorData>;
  /** What was found, a line each. */
  readonly report: readonly string[];
  /** What was assumed because the file does not tell. */
  readonly warnings: readonly string[];
}

/**
 * Reads any ONNX model of images into a model of ours, which trains, evaluates and exports as they do. Throws
 * TesseraeError("weights") for a broken or hostile file, TesseraeError("model") for one that is no image model or holds
 * operators that cannot be trained.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): Imported {
  try {
    return imported(bytes, options);
  } catch (cause) {
    // A broken file can ask the type rules for what no program of ours would: their complaint is about the file.
    if (cause instanceof TesseraeError && cause.code !== "internal" && cause.code !== "shape") throw cause;
    throw new TesseraeError(
      "model",
      `is no model that can be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}

function imported(bytes: Uint8Array, options: ImportOptions): Imported {
  const { imgSize, files, features: named } = options;
  const size = typeof imgSize === "number" ? ([imgSize, imgSize] as const) : imgSize;
  const read = readOnnx(bytes, { files, size, names: named === undefined ? [] : [named] });
  const { outputs } = recognise(
    program(IMPORTED, new Map([...prefixed("output", read.outputs), ...prefixed("named", read.named)])),
  );
  const [output, head] = chooseOutput(read, outputs, options.output);
  const told = named === undefined ? undefined : pooled(outputs.get(`named:${named}`) as Tensor, named);
  const features = told ?? head.features;
  const slots = slotsOf(features ? [head.logits, features] : [head.logits], read.constants);
  const [, channels, height, width] = read.image.shape;
  const graph = writeSkeleton({ image: read.image, logits: head.logits, features, slots });
  const classes = head.logits.shape[1];
  const model = importedModel({
    graph,
    file_classes: classes,
    num_classes: options.numClasses ?? classes,
    img_size: [height, width],
    in_chans: channels,
  });
  const preprocessing = preparation(read, options.preprocessing);
  const own = new Set(model.slots.map((s) => s.name));
  const weights = new Map(
    [...slots].flatMap(([name, { tensor }]) =>
      own.has(name) ? [[name, tensor.node.attrs.value as TensorData] as const] : [],
    ),
  );
  const report = describe(read, { model, head, features, output });
  const warnings = options.preprocessing?.mean ? [] : [assumption(preprocessing, read)];
  return { model: { ...model, preprocessing }, weights, report, warnings };
}

const prefixed = (prefix: string, tensors: ReadonlyMap<string, Tensor>): [string, Tensor][] =>
  [...tensors].map(([name, t]) => [`${prefix}:${name}`, t]);

function chooseOutput(read: ReadGraph, all: ReadonlyMap<string, Tensor>, wanted?: string): readonly [string, Head] {
  const names = [...read.outputs.keys()].filter((name) => wanted === undefined || name === wanted);
  const heads = names.flatMap((name) => {
    const head = findHead(all.get(`output:${name}`) as Tensor);
    return head ? [[name, head] as const] : [];
  });
  const best = heads.find(([, head]) => head.features) ?? heads[0];
  if (best) return best;
  const shapes = [...read.outputs].map(([name, t]) => `${name} ${showShape(t.shape)}`).join(", ");
  throw new TesseraeError("model", `no output holds a vector of scores for each image: ${shapes}`, {
    hint: wanted === undefined ? undefined : `There is no such output as ${JSON.stringify(wanted)}`,
  });
}

/** A tensor that was named as features, as one vector an image: maps and tokens are averaged. */
function pooled(t: Tensor, name: string): Tensor {
  if (t.shape[0] !== -1 || t.dtype !== "float32" || t.rank < 2 || t.rank > 4)
    throw new TesseraeError("usage", `the tensor ${JSON.stringify(name)} ${showShape(t.shape)} cannot be features`);
  return t.rank === 4 ? t.mean([2, 3]) : t.rank === 3 ? t.mean([1]) : t;
}

/** Constants of more values than this are buffers of the model instead of a part of its graph. */
const LARGE = 4096;

function slotsOf(
  outputs: readonly Tensor[],
  constants: ReadonlyMap<Tensor, string>,
): Map<string, { tensor: Tensor; role: SlotRole }> {
  const roles = rolesOf(outputs, constants.keys());
  const slots = new Map<string, { tensor: Tensor; role: SlotRole }>();
  for (const [tensor, name] of constants) {
    const role = roles.get(tensor) ?? (isFloat(tensor.dtype) && tensor.size > LARGE ? "buffer" : undefined);
    if (role) slots.set(freshName(name, slots), { tensor, role });
  }
  return slots;
}

/** Names that programs give to other things. */
const TAKEN = new Set([
  "image",
  "target",
  "lr",
  "step",
  "loss",
  "grad_norm",
  "finite",
  "features",
  "logits",
  "name",
  "length",
  "prototype",
]);

/** A file's name as a state-dict path: letters, digits, dots and dashes, and no name twice. */
function freshName(name: string, slots: ReadonlyMap<string, unknown>): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 120);
  const safe = /^[A-Za-z]/.test(plain) && !(plain in {}) && !TAKEN.has(plain) ? plain : `p.${plain}`;
  for (let i = 0; ; i++) {
    const candidate = i === 0 ? safe : `${safe}.${i}`;
    if (!slots.has(candidate)) return candidate;
  }
}

/** Bytes go in as they are; floats as ImageNet's models take them. */
function preparation(read: ReadGraph, given: Partial<Preprocessing> = {}): Preprocessing {
  const { bytes } = read.layout;
  const channels = read.image.shape[1];
  const plain = { mean: Array(channels).fill(0), std: Array(channels).fill(1 / 255) };
  return {
    ...ASSUMED,
    ...(bytes && plain),
    ...Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)),
  };
}

function assumption({ mean, std }: Preprocessing, { layout }: ReadGraph): string {
  if (layout.bytes) return "pixels: 0 to 255, as the file takes bytes";
  return `preprocessing is not in the file: mean ${mean.join(", ")} and deviation ${std.join(", ")} are assumed`;
}

function describe(
  read: ReadGraph,
  { model, head, features, output }: { model: Model; head: Head; features?: Tensor; output: string },
): string[] {
  const { layout, producer, opset, nodes } = read;
  const parameters = model.slots.filter((s) => s.slot === "parameter");
  const [channels, height, width] = model.inputShape;
  return [
    `opset ${opset}${producer ? ` from ${producer}` : ""}: ${nodes} nodes, ${parameters.length} tensors to train`,
    `images: ${channels} x ${height} x ${width}${layout.channelsLast ? ", channels last in the file" : ""}${layout.sized ? "; the size was open" : ""}`,
    ...(layout.batch === undefined ? [] : [`the batch was fixed at ${layout.batch}; it is free now`]),
    ...(read.outputs.size > 1 ? [`${read.outputs.size} outputs: ${JSON.stringify(output)} is taken`] : []),
    features
      ? `features: ${features.shape[1]}; classes: ${model.numClasses}${model.numClasses === head.logits.shape[1] ? "" : ` in a new head, for the file's ${head.logits.shape[1]}`}`
      : `classes: ${head.logits.shape[1]}; the end is no linear layer, so they cannot be changed`,
    ...(head.dropped.length ? [`${head.dropped.join(", ")} at the end left out: logits are trained and exported`] : []),
  ];
}
