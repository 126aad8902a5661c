import { modelOf, type WorkSpec } from "./work.ts";

/** A row of the table. */
interface ModelCase {
  /** Stem of the cases' names: NAME-train, NAME-infer, NAME-infer-b1, NAME-memory. */
  readonly name: string;
  readonly model: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Options that timm's model does not take. */
  readonly ourOptions?: Readonly<Record<string, unknown>>;
  /** timm's class, where its function for the model does not take the options. */
  readonly peerClass?: string;
  /** Images of a training step. */
  readonly train?: number;
  /** Images of a training step that leaves all but the head as it is: NAME-frozen-train. */
  readonly frozen?: number;
  /** Images of an inference; the first gives NAME-infer, others NAME-infer-b<batch>. */
  readonly infer?: readonly number[];
}

/** What is measured. A new model is a new line. */
const MODELS: readonly ModelCase[] = [
  { name: "vit_tiny_patch16_224", model: "vit_tiny_patch16_224", train: 16, frozen: 16, infer: [16, 1] },
  { name: "vit_tiny_24_layers", model: "vit_tiny_patch16_224", options: { depth: 24 }, train: 8 },
  {
    name: "vit_cifar",
    model: "vit_tiny_patch16_224",
    options: {
      img_size: 32,
      patch_size: 4,
      embed_dim: 128,
      depth: 6,
      num_heads: 4,
      global_pool: "avg",
      num_classes: 10,
    },
    train: 128,
    infer: [128],
  },
  {
    name: "convmixer",
    model: "convmixer_1024_20_ks9_p14",
    options: { dim: 256, depth: 8, kernel_size: 5, patch_size: 2, num_classes: 10 },
    ourOptions: { img_size: 32 },
    peerClass: "timm.models.convmixer.ConvMixer",
    train: 64,
  },
  { name: "resnet18", model: "resnet18", train: 16, infer: [16, 1] },
  { name: "efficientnet_b0", model: "efficientnet_b0", train: 16, frozen: 16, infer: [16, 1] },
  { name: "mobilenetv3_small_100", model: "mobilenetv3_small_100", train: 16 },
  { name: "pvt_v2_b0", model: "pvt_v2_b0", train: 8 },
  // timm gives Swin a drop path of 0.1 by default.
  { name: "swin_tiny", model: "swin_tiny_patch4_window7_224", options: { drop_path_rate: 0 }, train: 8 },
  { name: "maxvit_nano", model: "maxvit_nano_rw_256", train: 8 },
];

interface CaseBase {
  readonly name: string;
}

export interface StepCase extends CaseBase {
  readonly kind: "train" | "infer";
  /** Steps of one turn; its time is their median. More than one where a step is short. */
  readonly repeats: number;
  readonly spec: () => WorkSpec;
}

export interface MemoryCase extends CaseBase {
  readonly kind: "memory";
  readonly spec: () => WorkSpec;
}

/** See data.ts. */
export interface DataCase extends CaseBase {
  readonly kind: "data";
  /** timm's string of automatic augmentation, with erasing at 0.25. */
  readonly aa?: string;
}

/** See first-step.ts. */
export interface FirstStepCase extends CaseBase {
  readonly kind: "first-step";
}

export type Case = StepCase | MemoryCase | DataCase | FirstStepCase;

type Request = Pick<
  WorkSpec,
  "kind" | "model" | "options" | "ourOptions" | "peerClass" | "batch" | "threads" | "frozen"
>;

/** A work with what only our model knows filled in. Throws TesseraeError where there is no such model yet. */
export function specFor(request: Request): WorkSpec {
  const { inputShape, numClasses, preprocessing } = modelOf(request);
  return { ...request, inputShape, numClasses, mean: preprocessing.mean, std: preprocessing.std };
}

export const THREADS = 2;

function casesOf({ name, model, options = {}, ourOptions, peerClass, train, frozen, infer = [] }: ModelCase): Case[] {
  const spec =
    (kind: "train" | "infer", batch: number, more: { frozen?: boolean } = {}) =>
    () =>
      specFor({ kind, model, options, ourOptions, peerClass, batch, threads: THREADS, ...more });
  const cases: Case[] = [];
  if (train) {
    cases.push({ kind: "train", name: `${name}-train`, repeats: 1, spec: spec("train", train) });
    cases.push({ kind: "memory", name: `${name}-memory`, spec: spec("train", train) });
  }
  if (frozen)
    cases.push({
      kind: "train",
      name: `${name}-frozen-train`,
      repeats: 3,
      spec: spec("train", frozen, { frozen: true }),
    });
  for (const [i, batch] of infer.entries()) {
    const suffix = i === 0 ? "" : `-b${batch}`;
    cases.push({
      kind: "infer",
      name: `${name}-infer${suffix}`,
      repeats: batch === 1 ? 15 : 3,
      spec: spec("infer", batch),
    });
  }
  return cases;
}

export const CASES: readonly Case[] = [
  ...MODELS.flatMap(casesOf),
  { kind: "data", name: "data" },
  { kind: "data", name: "data-randaugment", aa: "rand-m9-mstd0.5-inc1" },
  { kind: "first-step", name: "first-step" },
];

/** Cases by name, or all of a kind ("train", "memory"...). */
export function selectCases(names?: readonly string[]): { cases: Case[]; unknown: string[] } {
  if (!names?.length) return { cases: [...CASES], unknown: [] };
  const matches = (c: Case, name: string) => c.name === name || c.kind === name;
  return {
    cases: CASES.filter((c) => names.some((name) => matches(c, name))),
    unknown: names.filter((name) => !CASES.some((c) => matches(c, name))),
  };
}
