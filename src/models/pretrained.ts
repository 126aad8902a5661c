import { TesseraeError } from "../errors.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import { type NamedSlot, slotsOf } from "../nn/module.ts";
import { toFloat32 } from "../weights/host-tensor.ts";
import { adaptInputChannels } from "../weights/resample.ts";
import { IMPORTED } from "./imported.ts";
import { createModel, listModels, type ModelOptions } from "./index.ts";
import type { Model } from "./model.ts";
import { resampleTable } from "./resize.ts";
import { initialize, type Weights } from "./trace.ts";

/** What became of the tensors of a file, by our names. */
export interface LoadReport {
  /** Parameters and buffers taken from the file, those changed on the way included. */
  readonly taken: number;
  /** Position tables resampled for this image size or window. */
  readonly resampled: readonly string[];
  /** First convolutions summed or repeated for this number of channels. */
  readonly channels: readonly string[];
  /** Parts of the classifier that begin anew: another number of classes, or none in the file. */
  readonly freshHead: readonly string[];
  /** Other parameters that the file lacks, where that was allowed. */
  readonly fresh: readonly string[];
  /** Tensors of the file that the model has no place for. */
  readonly unused: readonly string[];
}

export interface AdaptOptions {
  /** Of what begins anew. Default 0. */
  readonly seed?: number;
  /** Only what the file has, the rest anew: without this, a missing parameter outside the head is an error. */
  readonly partial?: boolean;
  /** Named in errors. */
  readonly where?: string;
}

const counter = (name: string) => name.endsWith(".num_batches_tracked");

/** Shapes of the slots that the number of classes decides, by name; also of those of a classifier the model lacks. */
function headShapes(model: Model): Map<string, string> {
  if (model.name === IMPORTED) return new Map(slotsOf(model.head).map((s) => [s.name, `${s.shape}`]));
  const other = createModel(model.name, { ...model.options, num_classes: model.numClasses + 1 });
  const own = new Map(model.slots.map((s) => [s.name, `${s.shape}`]));
  return new Map(other.slots.filter((s) => own.get(s.name) !== `${s.shape}`).map((s) => [s.name, `${s.shape}`]));
}

/** Names of the classifier's slots: those that the number of classes decides. */
export const headNames = (model: Model): Set<string> => new Set(headShapes(model).keys());

/**
 * Weights for a model from tensors under its names: the head begins anew where the number of classes differs, position
 * tables are resampled for the image size, the first convolution takes the number of channels.
 * Throws TesseraeError("weights") naming what is missing (unless `partial`) or of another shape.
 */
export function adaptWeights(
  model: Model,
  tensors: Weights,
  { seed = 0, partial = false, where }: AdaptOptions = {},
): { weights: Map<string, TensorData>; report: LoadReport } {
  const head = headShapes(model);
  const weights = initialize(model, seed);
  const lists = { resampled: [], channels: [], freshHead: [], fresh: [] } as Record<
    "resampled" | "channels" | "freshHead" | "fresh",
    string[]
  >;
  const missing: string[] = [];
  const misshapen: string[] = [];
  let taken = 0;
  for (const slot of model.slots) {
    const { name, shape } = slot;
    const tensor = tensors.get(name);
    const found = tensor && fitted(slot, tensor, model);
    if (found) {
      weights.set(name, found.tensor);
      if (found.how) lists[found.how].push(name);
      taken++;
    } else if (head.has(name)) lists.freshHead.push(name);
    else if (tensor) misshapen.push(`${name} [${tensor.shape}] for [${shape}]`);
    else if (partial) lists.fresh.push(name);
    else if (!counter(name)) missing.push(name);
  }
  const known = new Set(model.slots.map((s) => s.name));
  const unused = [...tensors.keys()].filter((name) => !known.has(name));
  if (missing.length > 0 || misshapen.length > 0 || taken === 0)
    throw new TesseraeError(
      "weights",
      `these are not weights of ${model.name}: ${taken} of ${known.size} tensors fit`,
      {
        where,
        hint: [some("missing", missing), some("of another shape", misshapen), some("unknown", unused)]
          .filter(Boolean)
          .join("; "),
      },
    );
  return { weights, report: { taken, ...lists, unused } };
}

const some = (what: string, names: readonly string[], most = 4): string =>
  names.length === 0
    ? ""
    : `${names.length} ${what} (${names.slice(0, most).join(", ")}${names.length > most ? ", ..." : ""})`;

/** A tensor as the slot takes it: as it is, in another shape of the same elements, resampled, or with other channels. */
function fitted(
  slot: NamedSlot,
  tensor: TensorData,
  model: Model,
): { tensor: TensorData; how?: "resampled" | "channels" } | undefined {
  const { shape, dtype } = slot;
  const converted = (): TensorData => ({
    dtype,
    shape,
    data: dtype === "float32" ? toFloat32(tensor) : (tensor.data as TensorData["data"]),
  });
  if (`${tensor.shape}` === `${shape}` || sameElements(tensor.shape, shape))
    return dtype === "float32" || tensor.dtype === dtype ? { tensor: converted() } : undefined;
  const table = resampleTable(slot, tensor);
  if (table) return { tensor: table, how: "resampled" };
  const channels = model.inputShape[0];
  const [out, from, ...kernel] = tensor.shape;
  if (shape.length === 4 && from === 3 && shape[1] === channels && `${[out, channels, ...kernel]}` === `${shape}`)
    return {
      tensor: { dtype: "float32", shape, data: adaptInputChannels(toFloat32(tensor), tensor.shape, channels) },
      how: "channels",
    };
  return undefined;
}

/** The same elements in the same order: sizes of 1 apart, or a linear layer that is a convolution. */
function sameElements(from: readonly number[], to: readonly number[]): boolean {
  const solid = (shape: readonly number[]) => `${shape.filter((d) => d !== 1)}`;
  if (sizeOf(from) !== sizeOf(to)) return false;
  const linear = [from.length, to.length].sort().join() === "2,4" && from[0] === to[0];
  return solid(from) === solid(to) || linear;
}

/** A model of the table that tensors under its names are of, and the classes of their head. */
export interface Inferred {
  readonly name: string;
  readonly options: ModelOptions;
  /** Others that fit as well. */
  readonly others: readonly string[];
}

/**
 * Finds the model that tensors are of, among those whose names match: all parameters but the head's and the position
 * tables have their shapes. One whose tables fit too is taken first. undefined where none is.
 */
export function inferModel(tensors: Weights, models: RegExp): Inferred | undefined {
  const fits: { name: string; exact: boolean; options: ModelOptions }[] = [];
  for (const name of listModels()) {
    if (!models.test(name)) continue;
    const model = createModel(name);
    const head = headShapes(model);
    const body = model.slots.filter((s) => !head.has(s.name) && !counter(s.name));
    const same = (s: NamedSlot) => {
      const shape = tensors.get(s.name)?.shape;
      return shape !== undefined && (`${shape}` === `${s.shape}` || sameElements(shape, s.shape));
    };
    const isTable = (s: NamedSlot) => s.grid !== undefined || s.window !== undefined;
    if (!body.every((s) => same(s) || (isTable(s) && tensors.has(s.name)))) continue;
    const names = new Set(model.slots.map((s) => s.name));
    if ([...tensors.keys()].some((n) => !names.has(n) && !head.has(n))) continue;
    fits.push({ name, exact: body.every(same), options: { num_classes: classesOf(head, tensors) } });
  }
  const best = fits.find((f) => f.exact) ?? fits[0];
  return best && { ...best, others: fits.filter((f) => f !== best && f.exact === best.exact).map((f) => f.name) };
}

/** Classes of the classifier among the tensors; 0 where there is none. */
function classesOf(head: ReadonlyMap<string, string>, tensors: Weights): number {
  const bias = [...head.keys()].map((name) => tensors.get(name)).find((t) => t?.shape.length === 1);
  return bias?.shape[0] ?? 0;
}
