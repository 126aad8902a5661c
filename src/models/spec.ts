import { TesseraeError } from "../errors.ts";
import { createModel, type ModelOptions } from "./index.ts";
import type { Adapters } from "./low-rank.ts";
import type { Model, Preprocessing } from "./model.ts";

/** All that is needed to build a trained model again and to feed it: plain JSON, kept with every checkpoint and export. */
export interface ModelSpec {
  readonly name: string;
  readonly options: ModelOptions;
  /** Class names in label order. */
  readonly classes: readonly string[];
  /** What people call the classes, where that is something else, in the same order. */
  readonly descriptions?: readonly string[];
  /** Of the weights it began with. */
  readonly license?: string;
  /** Adapters that the weights beside it still have apart. */
  readonly lora?: Adapters;
  readonly preprocessing: Preprocessing;
  /** [C, H, W]. */
  readonly inputShape: readonly number[];
}

export const specOf = (
  { name, options, preprocessing, inputShape, adapters }: Model,
  classes: readonly string[],
): ModelSpec => ({
  name,
  options,
  classes,
  preprocessing,
  inputShape,
  ...(adapters && { lora: adapters }),
});

/** The model of a spec, with the spec's preprocessing. */
export const modelOf = ({ name, options, preprocessing }: ModelSpec): Model => ({
  ...createModel(name, options),
  preprocessing,
});

/** Reads a spec from JSON that came from a file. Throws TesseraeError("weights"). */
export function parseSpec(json: unknown, where: string): ModelSpec {
  const spec = json as Partial<ModelSpec> | null | undefined;
  const strings = (v: unknown) => Array.isArray(v) && v.every((s) => typeof s === "string");
  if (
    !spec ||
    typeof spec.name !== "string" ||
    typeof spec.options !== "object" ||
    !strings(spec.classes) ||
    !spec.preprocessing ||
    !Array.isArray(spec.inputShape)
  )
    throw new TesseraeError("weights", "holds no description of a model", { where });
  return spec as ModelSpec;
}

/** Checks that weights are a model's: throws TesseraeError("weights") listing what differs. */
export function checkWeights(
  model: Model,
  weights: ReadonlyMap<string, { shape: readonly number[] }>,
  where?: string,
): void {
  const known = new Set(model.slots.map((s) => s.name));
  const missing = model.slots.filter((s) => !weights.has(s.name)).map((s) => s.name);
  const unexpected = [...weights.keys()].filter((name) => !known.has(name));
  const misshapen = model.slots
    .filter((s) => weights.has(s.name) && `${weights.get(s.name)?.shape}` !== `${s.shape}`)
    .map((s) => `${s.name} [${weights.get(s.name)?.shape}] for [${s.shape}]`);
  const parts = [list("missing", missing), list("unexpected", unexpected), list("of another shape", misshapen)].filter(
    Boolean,
  );
  if (parts.length)
    throw new TesseraeError("weights", `the weights are not those of ${model.name}: ${parts.join("; ")}`, { where });
}

const list = (what: string, names: readonly string[], most = 3): string =>
  names.length === 0
    ? ""
    : `${names.length} ${what} (${names.slice(0, most).join(", ")}${names.length > most ? ", ..." : ""})`;
