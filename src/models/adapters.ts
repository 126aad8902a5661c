import { TesseraeError } from "../errors.ts";
import { globMatcher } from "../globs.ts";
import type { TensorData } from "../graph/types.ts";
import type { NamedSlot } from "../nn/module.ts";
import { type Adapters, adapterNames, adapterSlots } from "./low-rank.ts";
import type { Model } from "./model.ts";
import { headNames } from "./pretrained.ts";
import { initialize, type Weights } from "./trace.ts";

export interface AdapterOptions {
  readonly rank: number;
  /** Default: twice the rank. */
  readonly alpha?: number;
  /** Globs of weights; none: every matrix outside the classifier, which are those of attention and MLPs. */
  readonly targets?: readonly string[];
}

const isMatrix = ({ slot, shape, decay, grid, window }: NamedSlot): boolean =>
  slot === "parameter" && shape.length === 2 && decay && !grid && !window;

function targetsOf(model: Model, globs: readonly string[]): string[] {
  const head = headNames(model);
  const candidates = model.slots.filter((s) => s.slot === "parameter" && s.shape.length >= 2 && !head.has(s.name));
  if (globs.length === 0) {
    const found = candidates.filter(isMatrix).map((s) => s.name);
    if (found.length > 0) return found;
    throw new TesseraeError("usage", `${model.name} has no matrices outside its classifier for --lora-rank`, {
      hint: "Name convolutions with --lora-targets, as in --lora-targets 'blocks.*.conv*.weight'",
    });
  }
  const chosen = new Set<string>();
  for (const glob of globs) {
    const found = candidates.map((s) => s.name).filter(globMatcher(glob));
    if (found.length === 0)
      throw new TesseraeError("usage", `no weight of ${model.name} outside its classifier is called ${glob}`);
    for (const name of found) chosen.add(name);
  }
  return candidates.map((s) => s.name).filter((name) => chosen.has(name));
}

/** The model with adapters: their slots follow their weights'. Throws TesseraeError("usage"). */
export function withAdapters(model: Model, { rank, alpha = 2 * rank, targets = [] }: AdapterOptions): Model {
  const adapters: Adapters = { rank, alpha, targets: targetsOf(model, targets) };
  const adapted = new Set(adapters.targets);
  const slots = model.slots.flatMap((s) => (adapted.has(s.name) ? [s, ...adapterSlots(s, rank)] : [s]));
  return { ...model, slots, adapters };
}

/** Weights of the model without adapters, and fresh adapters: together they answer as without. */
export function withFreshAdapters(model: Model, weights: Weights, seed: number): Map<string, TensorData> {
  const fresh = initialize(model, seed);
  return new Map(model.slots.map(({ name }) => [name, (weights.get(name) ?? fresh.get(name)) as TensorData]));
}

/** Weights of the model without adapters that answer as those with. Throws TesseraeError("weights") where one is missing. */
export function mergeAdapters(weights: Weights, { rank, alpha, targets }: Adapters, where?: string) {
  const merged = new Map(weights);
  for (const name of targets) {
    const [w, a, b] = [name, ...adapterNames(name)].map((key) => {
      merged.delete(key);
      const tensor = weights.get(key);
      if (!tensor) throw new TesseraeError("weights", `its adapter ${key} is missing`, { where });
      return tensor;
    });
    merged.set(name, { ...w, data: sumOf(w, a, b, alpha / rank) });
  }
  return new Map([...weights.keys()].flatMap((key) => (merged.has(key) ? [[key, merged.get(key) as TensorData]] : [])));
}

function sumOf(w: TensorData, a: TensorData, b: TensorData, scale: number): Float32Array {
  const [rank, columns] = a.shape;
  const out = Float32Array.from(w.data as Float32Array);
  const row = new Float64Array(columns);
  for (let i = 0; i < b.shape[0]; i++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * Number(b.data[i * rank + r]);
      for (let j = 0; j < columns; j++) row[j] += factor * Number(a.data[r * columns + j]);
    }
    for (let j = 0; j < columns; j++) out[i * columns + j] += row[j];
  }
  return out;
}
