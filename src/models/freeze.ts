import { TesseraeError } from "../errors.ts";
import { globMatcher } from "../globs.ts";
import { nearest } from "../nearest.ts";
import { layersOf } from "./layer-groups.ts";
import type { Model } from "./model.ts";
import { headNames } from "./pretrained.ts";

/** What a run leaves as it is. */
export interface FreezeOptions {
  /** Globs of parameters and running statistics, by state-dict name; the classifier always learns. */
  readonly freeze?: readonly string[];
  /** Running statistics of every batch norm. */
  readonly freezeBn?: boolean;
  /** Epochs after which frozen parameters begin to learn; absent: never. */
  readonly unfreezeEpochs?: number;
  /** Layers that begin at a time, the last first, every `unfreezeEpochs`; absent: all at once. */
  readonly unfreezeLayers?: number;
}

const NONE: ReadonlySet<string> = new Set();

/** Slots that the globs name, but the classifier's. Throws TesseraeError("usage") for a glob that names none. */
export function frozenSlots(model: Model, globs: readonly string[]): Set<string> {
  const head = headNames(model);
  const names = model.slots.map((s) => s.name);
  const frozen = new Set<string>();
  for (const glob of globs) {
    const found = names.filter(globMatcher(glob));
    if (found.length === 0) {
      const near = nearest(glob.replaceAll(/[*?]/g, ""), names);
      throw new TesseraeError("usage", `no parameter of ${model.name} is called ${JSON.stringify(glob)}`, {
        hint: near.length > 0 ? `Did you mean ${near.join(", ")}?` : "`tesserae info` lists the parts of a model",
      });
    }
    for (const name of found) if (!head.has(name)) frozen.add(name);
  }
  return frozen;
}

/** Running statistics of batch norms: the buffers that training changes. */
const runningStatistics = ({ slots }: Model): string[] =>
  slots.filter((s) => s.slot === "buffer" && s.dtype === "float32" && s.shape.length === 1).map((s) => s.name);

/**
 * What each epoch leaves as it is; undefined where that is nothing. Gradual unfreezing goes from the last layer to the
 * first (Howard and Ruder 2018, section 3.3); a layer's running statistics begin with its parameters, unless `freezeBn`.
 * `named` are slots to freeze, found otherwise than by globs.
 */
export function freezePlan(
  model: Model,
  { freeze = [], freezeBn = false, unfreezeEpochs, unfreezeLayers }: FreezeOptions,
  named: ReadonlySet<string> = frozenSlots(model, freeze),
): ((epoch: number) => ReadonlySet<string>) | undefined {
  const always = freezeBn ? runningStatistics(model) : [];
  if (named.size + always.length === 0) return undefined;
  if (unfreezeEpochs === undefined) {
    const all = new Set([...named, ...always]);
    return () => all;
  }
  const layer = layerOfSlots(model);
  const layers = [...new Set([...named].map((name) => layer(name)))].sort((a, b) => a - b);
  const plan = new Map<number, ReadonlySet<string>>();
  return (epoch) => {
    const thawed = Math.floor(epoch / unfreezeEpochs) * (unfreezeLayers ?? layers.length);
    const kept = new Set(layers.slice(0, Math.max(0, layers.length - thawed)));
    const found = plan.get(kept.size) ?? new Set([...named].filter((name) => kept.has(layer(name))).concat(always));
    plan.set(kept.size, found);
    return found.size > 0 ? found : NONE;
  };
}

/** Layer of every slot; a buffer's is that of the parameter before it. */
function layerOfSlots(model: Model): (name: string) => number {
  const { layer } = layersOf(model);
  const all = new Map<string, number>();
  let last = 0;
  for (const { name } of model.slots) {
    last = layer.get(name) ?? last;
    all.set(name, last);
  }
  return (name) => all.get(name) ?? 0;
}
