import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Bound, type Children, type Module, module, type NamedSlot, slotsOf } from "../nn/module.ts";
import type { Size } from "../nn/size.ts";
import type { Adapters } from "./low-rank.ts";

/** Options every model takes, under timm's names. */
export interface CommonOptions {
  /** 0: no classifier, the model gives its pooled features. */
  num_classes: number;
  img_size: number | Size;
  in_chans: number;
  global_pool: "token" | "avg" | "max" | "";
  /** Dropout before the classifier. */
  drop_rate: number;
  /** Stochastic depth of the last block; earlier ones less, linearly. */
  drop_path_rate: number;
}

/** How images are prepared for a model, under timm's names. */
export interface Preprocessing {
  mean: readonly number[];
  std: readonly number[];
  interpolation: "bilinear" | "bicubic";
  crop_pct: number;
  /** center: keep the aspect and crop; squash: do not keep it; border: keep all of the image, and pad. Default center. */
  crop_mode?: "center" | "squash" | "border";
  /** Pixels in one fixed order of this seed, in training and ever after: for experiments on inductive bias. */
  permute_pixels?: number;
}

export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;
/** Inception's mean and deviation of 0.5, which ViT's own training used. */
export const HALF = [0.5, 0.5, 0.5] as const;

/** A level of the feature pyramid. */
export interface FeatureInfo {
  /** Channels. */
  num_chs: number;
  /** Input pixels per feature pixel. */
  reduction: number;
  /** State-dict path of the module that makes it. */
  module: string;
}

/** A network in three callable forms over the same children. */
export interface Network {
  /** [N, C, H, W] to logits [N, classes]. */
  forward: Module<[x: Tensor], Tensor>;
  /** [N, C, H, W] to the features before pooling. */
  features: Module<[x: Tensor], Tensor>;
  /** Features to logits. */
  head: Module<[x: Tensor], Tensor>;
  /** [N, C, H, W] to feature maps [N, C_i, H_i, W_i], one per entry of featureInfo. */
  pyramid: Module<[x: Tensor], Tensor[]>;
  featureInfo: readonly FeatureInfo[];
}

/** Builds a network from its children and its parts. */
export function network<const C extends Children>(
  children: C,
  parts: {
    features: (m: Bound<C>, x: Tensor) => Tensor;
    head: (m: Bound<C>, x: Tensor) => Tensor;
    pyramid: (m: Bound<C>, x: Tensor) => Tensor[];
    featureInfo: readonly FeatureInfo[];
  },
): Network {
  return {
    forward: module(children, (m, x: Tensor) => parts.head(m, parts.features(m, x))),
    features: module(children, parts.features),
    head: module(children, parts.head),
    pyramid: module(children, parts.pyramid),
    featureInfo: parts.featureInfo,
  } as Network;
}

/** What a family tells of a stage beside what its graph shows: window, reduction ratio... */
export type StageNotes = Readonly<Record<string, string | number>>;

/** A model family: its options with their defaults, its builder, and its variants by name. */
export interface Family {
  /** Paper the family comes from. */
  readonly paper: string;
  readonly variants: Readonly<Record<string, Variant>>;
}

export interface Variant {
  readonly defaults: CommonOptions & Record<string, unknown>;
  readonly preprocessing: Preprocessing;
  readonly build: (options: CommonOptions & Record<string, unknown>) => Network;
  readonly paper: string;
  readonly stage?: (options: CommonOptions & Record<string, unknown>, index: number) => StageNotes;
}

/** What a variant changes of its family's defaults. */
export type VariantSpec<O> = Partial<O> & { preprocessing?: Partial<Preprocessing> };

/** Ties a family's builder to its variants. */
export function family<O extends CommonOptions>(definition: {
  paper: string;
  defaults: O;
  preprocessing: Preprocessing;
  build: (options: O) => Network;
  /** Notes on the stage of blocks of this index. */
  stage?: (options: O, index: number) => StageNotes;
  variants: Readonly<Record<string, VariantSpec<O>>>;
}): Family {
  const { paper, build, stage } = definition;
  const variants = Object.entries(definition.variants).map(([name, { preprocessing, ...options }]) => [
    name,
    {
      paper,
      defaults: { ...definition.defaults, ...options },
      preprocessing: { ...definition.preprocessing, ...preprocessing },
      build: build as unknown as Variant["build"],
      stage: stage as unknown as Variant["stage"],
    },
  ]);
  return { paper, variants: Object.fromEntries(variants) };
}

/** A model: a network of a known architecture, with its options settled. It holds no weights. */
export interface Model extends Network {
  readonly name: string;
  /** Every option, defaults filled in. */
  readonly options: CommonOptions & Readonly<Record<string, unknown>>;
  readonly preprocessing: Preprocessing;
  readonly paper: string;
  /** [C, H, W]. */
  readonly inputShape: readonly [number, number, number];
  readonly numClasses: number;
  /** Parameters and buffers in state-dict order. */
  readonly slots: readonly NamedSlot[];
  /** Notes on the stage of blocks of this index. */
  readonly stage?: (index: number) => StageNotes;
  /** Low-rank adapters of its weights; their matrices are slots. */
  readonly adapters?: Adapters;
}

export function instantiate(name: string, variant: Variant, options: Readonly<Record<string, unknown>>): Model {
  checkOptions(name, variant, options);
  const given = Object.entries(options).filter(([, v]) => v !== undefined);
  const settled = { ...variant.defaults, ...Object.fromEntries(given) };
  const net = variant.build(settled);
  const [height, width] =
    typeof settled.img_size === "number" ? [settled.img_size, settled.img_size] : settled.img_size;
  return {
    ...net,
    name,
    options: settled,
    preprocessing: variant.preprocessing,
    paper: variant.paper,
    inputShape: [settled.in_chans, height, width],
    numClasses: settled.num_classes,
    slots: slotsOf(net.forward),
    stage: variant.stage && ((index) => variant.stage?.(settled, index) ?? {}),
  };
}

const POSITIVE = ["img_size", "in_chans", "patch_size", "embed_dim", "depth", "num_heads"];

const POOLS = ["token", "avg", "max", ""];

function checkOptions(name: string, { defaults }: Variant, options: Readonly<Record<string, unknown>>): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { where: name, hint });
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(defaults, key))
      throw usage(`has no option ${key}`, `It has ${Object.keys(defaults).join(", ")}`);
    if (value !== null && typeof defaults[key] === "number" && typeof value !== "number" && !Array.isArray(value))
      throw usage(`option ${key} takes a number, not ${JSON.stringify(value)}`);
    const numbers = [value].flat().filter((v) => typeof v === "number");
    if (POSITIVE.includes(key) && numbers.some((v) => !Number.isInteger(v) || v < 1))
      throw usage(`option ${key} takes a positive whole number, not ${JSON.stringify(value)}`);
    if (key === "num_classes" && numbers.some((v) => !Number.isInteger(v) || v < 0))
      throw usage(`option num_classes takes a whole number of at least 0, not ${JSON.stringify(value)}`);
    if (key.endsWith("_rate") && numbers.some((v) => !(v >= 0 && v < 1)))
      throw usage(`option ${key} takes a rate in [0, 1), not ${JSON.stringify(value)}`);
    if (key === "global_pool" && !POOLS.includes(value as string))
      throw usage(`option global_pool is token, avg, max or empty, not ${JSON.stringify(value)}`);
  }
}

/** Drop-path rates growing linearly from 0 to `last` over the blocks. */
export const linearRates = (last: number, depth: number): number[] =>
  Array.from({ length: depth }, (_, i) => (depth > 1 ? (last * i) / (depth - 1) : last));
