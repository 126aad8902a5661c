import { keyed } from "../data/random.ts";
import { TesseraeError } from "../errors.ts";
import { narrow, type PassOptions } from "../graph/passes/index.ts";
import { program } from "../graph/program.ts";
import { constantData, input, type Tensor } from "../graph/tensor.ts";
import { fromDoubles, type Shape, sizeOf, type TensorData } from "../graph/types.ts";
import { type Module, type NamedSlot, Trace, withTrace } from "../nn/module.ts";
import { type Adapters, adapted, adapterSlots } from "./low-rank.ts";
import type { Model } from "./model.ts";

export type Weights = ReadonlyMap<string, TensorData>;

/** Where a traced model takes its tensors from: program inputs of their names, or constants. */
export type SlotSource = "inputs" | Weights;

export interface Traced<R> {
  readonly output: R;
  /** Slots the trace used, by state-dict name. */
  readonly slots: ReadonlyMap<string, Tensor>;
  /** New values of buffers. */
  readonly updates: ReadonlyMap<string, Tensor>;
  /** Named inner tensors. */
  readonly taps: ReadonlyMap<string, Tensor>;
  /** What modules gave, by path. */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

export interface TraceModuleOptions {
  training: boolean;
  source: SlotSource;
  noise?: (shape: Shape) => Tensor;
  /** Name of the program input that a slot becomes; default its own. */
  rename?: (name: string) => string;
  /** Slots that training leaves as they are: batch norms among them normalise by their running statistics. */
  frozen?: ReadonlySet<string>;
  /** Of the model: adapted weights are W + (alpha / rank) · B·A. */
  adapters?: Adapters;
  /** Of slots that are constants of the program where the others are inputs. */
  constants?: Weights;
}

/** Traces one form of a network (`model.forward`, `model.features`...) on a symbolic tensor. */
export function traceModule<R>(root: Module<[x: Tensor], R>, x: Tensor, options: TraceModuleOptions): Traced<R> {
  const { training, source, noise, frozen, constants, adapters, rename = (name) => name } = options;
  const slots = new Map<string, Tensor>();
  const resolve = (slot: NamedSlot): Tensor => {
    const held = source === "inputs" ? constants?.has(slot.name) && constants : source;
    const t = held ? weight(slot, held) : input(rename(slot.name), slot.dtype, slot.shape);
    slots.set(slot.name, t);
    return t;
  };
  const adaptedTo = (slot: NamedSlot, t: Tensor): Tensor => {
    if (!adapters?.targets.includes(slot.name)) return t;
    const [a, b] = adapterSlots(slot, adapters.rank).map(resolve);
    return adapted(t, a, b, adapters);
  };
  const context = new Trace({ training, resolve: (slot) => adaptedTo(slot, resolve(slot)), noise, frozen });
  const output = withTrace(context, root, (bound) => bound(x));
  return { output, slots, updates: context.updates, taps: context.taps, outputs: context.outputs };
}

/**
 * Traces a model's logits from images, with only what they read left in the graph (see the forward passes). Of the
 * inner tensors only those of `taps` that exist are given: narrowing may have cut others.
 */
export function traceLogits(
  model: Model,
  x: Tensor,
  options: TraceModuleOptions & PassOptions & { readonly taps?: readonly string[] },
): Omit<Traced<Tensor>, "outputs"> {
  const all = traceModule(model.forward, x, { adapters: model.adapters, ...options });
  const tapped = (options.taps ?? []).flatMap((name) => {
    const t = all.taps.get(name);
    return t ? [[`${TAP}${name}`, t] as const] : [];
  });
  const { outputs } = narrow(program("forward", new Map([["", all.output], ...all.updates, ...tapped])), options);
  const traced = (name: string): Tensor => outputs.get(name) as Tensor;
  return {
    output: traced(""),
    slots: all.slots,
    updates: new Map([...all.updates.keys()].map((name) => [name, traced(name)])),
    taps: new Map(tapped.map(([name]) => [name.slice(TAP.length), traced(name)])),
  };
}

const TAP = "tap:";

function weight(slot: NamedSlot, weights: Weights): Tensor {
  const value = weights.get(slot.name);
  if (!value) throw new TesseraeError("weights", `no tensor ${slot.name} among the weights`);
  return constantData(value, slot.name);
}

/** The symbolic image batch of a model: float32 [batch, C, H, W], normalised. A negative batch is free. */
export const imageInput = (model: Model, batch: number): Tensor =>
  input("image", "float32", [batch, ...model.inputShape]);

/** Fresh tensors for every slot, each from its own stream of (seed, name). */
export function initialize(model: Model, seed: number): Map<string, TensorData> {
  return new Map(
    model.slots.map((slot) => {
      const values = slot.init(slot.shape, keyed(seed, "init", slot.name));
      const data = slot.dtype === "float32" ? values : fromDoubles(slot.dtype, values);
      return [slot.name, { dtype: slot.dtype, shape: slot.shape, data }];
    }),
  );
}

/** Number of trained values. */
export const countParameters = (model: Model): number =>
  model.slots.reduce((sum, s) => sum + (s.slot === "parameter" ? sizeOf(s.shape) : 0), 0);
