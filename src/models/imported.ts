import { TesseraeError } from "../errors.ts";
import { encodeModel, readMetadata } from "../graph/onnx.ts";
import { program } from "../graph/program.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import type { DType, Shape } from "../graph/types.ts";
import { defaultWeight, ones, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import { buffer, fn, module, parameter, type Slot, slotsOf } from "../nn/module.ts";
import type { Role } from "../onnx/parameters.ts";
import { readOnnx } from "../onnx/read.ts";
import { recognise } from "../onnx/recognise.ts";
import { replay } from "../onnx/replay.ts";
import {
  type CommonOptions,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type Model,
  type Network,
  type Preprocessing,
} from "./model.ts";

/** Name of every model that came from a file; its options hold its graph. */
export const IMPORTED = "onnx";

/** What preprocessing is taken to be where nobody says: ImageNet's. */
export const ASSUMED: Preprocessing = {
  mean: IMAGENET_MEAN,
  std: IMAGENET_STD,
  interpolation: "bilinear",
  crop_pct: 0.875,
};

/** What a slot of an imported model is; "buffer" is a large constant. */
export type SlotRole = Role | "buffer";

/** A graph without its weights, as it is kept in a model's options. */
export interface Skeleton {
  /** [N, C, H, W]. */
  readonly image: Tensor;
  /** [N, K]. */
  readonly logits: Tensor;
  /** [N, D], where the end is a linear layer. */
  readonly features?: Tensor;
  /** The tensors that are slots, by state-dict name, in order. */
  readonly slots: ReadonlyMap<string, { readonly tensor: Tensor; readonly role: SlotRole }>;
}

const ROLES_KEY = "roles";

/** The skeleton as text: ONNX without weights, in base64. */
export function writeSkeleton({ image, logits, features, slots }: Skeleton): string {
  const named = [...slots].map(([name, { tensor }]) => [tensor, input(name, tensor.dtype, tensor.shape)] as const);
  const picture = input("image", "float32", image.shape);
  const wanted = features ? [logits, features] : [logits];
  const given = new Map([[image, picture] as const, ...named]);
  const [scores, pooled] = replay(wanted, { given, batch: -1, statistics: new Set() });
  const outputs = new Map([["logits", scores], ...(features ? [["features", pooled] as const] : [])]);
  const roles = Object.fromEntries([...slots].map(([name, { role }]) => [name, role]));
  const graph = program(IMPORTED, outputs, [picture, ...named.map(([, t]) => t)]);
  return toBase64(encodeModel(graph, { metadata: { [ROLES_KEY]: JSON.stringify(roles) } }).model);
}

function readSkeleton(text: string): Skeleton {
  const bytes = fromBase64(text);
  const roles = JSON.parse(readMetadata(bytes).get(ROLES_KEY) ?? "{}") as Record<string, SlotRole>;
  const read = readOnnx(bytes, { skeleton: true });
  const { outputs } = recognise(program(IMPORTED, read.outputs));
  const inputs = new Map(read.parameters.map((t) => [t.node.attrs.name as string, t]));
  const slots = Object.entries(roles).flatMap(([name, role]) => {
    const tensor = inputs.get(name);
    return tensor ? [[name, { tensor, role }] as const] : [];
  });
  return {
    image: read.image,
    logits: outputs.get("logits") as Tensor,
    features: outputs.get("features"),
    slots: new Map(slots),
  };
}

/** The options of an imported model: the common ones and its graph. */
export interface ImportedOptions extends CommonOptions {
  /** See `writeSkeleton`. */
  graph: string;
  /** The classes of the file itself. */
  file_classes: number;
}

/**
 * The model of an imported graph. Another number of classes replaces the last layer by a new one, "head.weight" and
 * "head.bias"; 0 gives the features. Throws TesseraeError("usage" | "model").
 */
export function importedModel(given: Readonly<Record<string, unknown>>): Model {
  const options = checked(given);
  const skeleton = readSkeletonOnce(options.graph);
  const [, channels, height, width] = skeleton.image.shape;
  const net = networkOf(skeleton, options.num_classes);
  const size = [height, width];
  const side = typeof options.img_size === "number" ? [options.img_size, options.img_size] : options.img_size;
  if (`${side}` !== `${size}` || options.in_chans !== channels)
    throw new TesseraeError("usage", `an imported model keeps its input of [${channels}, ${size}]`);
  return {
    ...net,
    name: IMPORTED,
    options,
    preprocessing: ASSUMED,
    paper: "an ONNX file",
    inputShape: [channels, height, width],
    numClasses: options.num_classes,
    slots: slotsOf(net.forward),
  };
}

function checked(given: Readonly<Record<string, unknown>>): ImportedOptions & Record<string, unknown> {
  const { graph, file_classes, num_classes = file_classes, img_size, in_chans } = given as Partial<ImportedOptions>;
  if (typeof graph !== "string" || typeof file_classes !== "number")
    throw new TesseraeError("usage", `the model ${IMPORTED} is made by importOnnx, from a file`);
  for (const key of ["drop_rate", "drop_path_rate"] as const)
    if (given[key]) throw new TesseraeError("usage", `an imported model takes no ${key}`);
  if (!Number.isInteger(num_classes) || (num_classes as number) < 0)
    throw new TesseraeError("usage", `option num_classes takes a whole number of at least 0, not ${num_classes}`);
  return {
    num_classes: num_classes as number,
    img_size: img_size as CommonOptions["img_size"],
    in_chans: in_chans as number,
    global_pool: "",
    drop_rate: 0,
    drop_path_rate: 0,
    file_classes,
    graph,
  };
}

/** Models are built often (for a checkpoint, an export, an evaluation), skeletons are read once. */
const skeletons = new Map<string, Skeleton>();

function readSkeletonOnce(text: string): Skeleton {
  let skeleton = skeletons.get(text);
  if (!skeleton) {
    skeleton = readSkeleton(text);
    skeletons.clear();
    skeletons.set(text, skeleton);
  }
  return skeleton;
}

type Bindings = Readonly<Record<string, Tensor>>;

function networkOf(skeleton: Skeleton, classes: number): Network {
  const { image, logits, features } = skeleton;
  const statistics = new Set([...skeleton.slots.values()].filter((s) => isStatistic(s.role)).map((s) => s.tensor));
  const run = (m: Bindings, wanted: Tensor, from: Tensor, x: Tensor): Tensor => {
    const given = new Map([[from, x]]);
    for (const [name, { tensor }] of skeleton.slots) if (from !== tensor && name in m) given.set(tensor, m[name]);
    return replay([wanted], { given, batch: x.shape[0], statistics })[0];
  };
  const slotsUpTo = (wanted: Tensor, from?: Tensor): Record<string, Slot> => slotsFor(skeleton, wanted, from);
  const rest = { pyramid: fn((_x: Tensor): Tensor[] => []), featureInfo: [] };
  const own = slotsUpTo(features ?? logits);
  if (classes === logits.shape[1]) {
    const all = slotsUpTo(logits);
    const head = features ? slotsUpTo(logits, features) : {};
    return {
      forward: module(all, (m, x: Tensor) => run(m as unknown as Bindings, logits, image, x)),
      features: module(own, (m, x: Tensor) => run(m as unknown as Bindings, features ?? logits, image, x)),
      head: module(head, (m, x: Tensor) => (features ? run(m as unknown as Bindings, logits, features, x) : x)),
      ...rest,
    } as Network;
  }
  if (!features)
    throw new TesseraeError("model", "the file does not end in a linear layer, so its classes cannot be changed", {
      hint: "Name the tensor that holds its features (option features)",
    });
  const body = module(own, (m, x: Tensor) => run(m as unknown as Bindings, features, image, x));
  if (classes === 0) return { forward: body, features: body, head: fn((x: Tensor) => x), ...rest } as Network;
  const key = headName(own);
  const layer = linear(features.shape[1], classes);
  const children = { ...own, [key]: layer };
  const classify = (m: unknown, x: Tensor): Tensor => (m as Record<string, (x: Tensor) => Tensor>)[key](x);
  return {
    forward: module(children, (m, x: Tensor) => classify(m, run(m as unknown as Bindings, features, image, x))),
    features: body,
    head: module({ [key]: layer }, (m, x: Tensor) => classify(m, x)),
    ...rest,
  } as Network;
}

const isStatistic = (role: SlotRole): boolean => role === "mean" || role === "variance";

/** A name for the new head that no other slot has. */
function headName(own: Readonly<Record<string, Slot>>): string {
  for (let i = 0; ; i++) {
    const name = i === 0 ? "head" : `head_${i}`;
    if (!Object.keys(own).some((key) => key === name || key.startsWith(`${name}.`))) return name;
  }
}

/** Slots that a tensor depends on, when it is computed from another. */
function slotsFor({ slots, image }: Skeleton, wanted: Tensor, from: Tensor = image): Record<string, Slot> {
  const reached = new Set<Tensor>();
  const seen = new Set([from.node]);
  const stack = [wanted];
  for (let t = stack.pop(); t; t = stack.pop()) {
    reached.add(t);
    if (seen.has(t.node)) continue;
    seen.add(t.node);
    for (const x of t.node.inputs) if (x) stack.push(x);
  }
  return Object.fromEntries(
    [...slots].flatMap(([name, { tensor, role }]) =>
      reached.has(tensor) ? [[name, slotOf(tensor, role)] as const] : [],
    ),
  );
}

function slotOf({ shape, dtype }: { shape: Shape; dtype: DType }, role: SlotRole): Slot {
  if (role === "buffer" || isStatistic(role)) return buffer(shape, role === "variance" ? ones : zeros, dtype);
  const init = role === "scale" ? ones : role === "weight" && shape.length > 1 ? defaultWeight : zeros;
  return parameter(shape, init, { decay: role === "weight" && shape.length > 1 });
}

const toBase64 = (bytes: Uint8Array): string => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch (cause) {
    throw new TesseraeError("weights", "the graph of an imported model is broken", { cause });
  }
}
