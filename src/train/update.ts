import { input, type Tensor } from "../graph/tensor.ts";
import type { Shape } from "../graph/types.ts";
import { layersOf } from "../models/layer-groups.ts";
import type { Model } from "../models/model.ts";
import type { NamedSlot } from "../nn/module.ts";
import { adaptiveClip, type ClipMode, clipFactor, clipValue } from "../optim/clip.ts";
import type { Optimizer, ParameterInfo } from "../optim/optimizer.ts";

/** How a step turns gradients into new weights. */
export interface UpdateOptions {
  readonly optimizer: Optimizer;
  readonly weightDecay?: number;
  /** Largest norm of the whole gradient, or largest value, or largest part of the weights; absent: no clipping. */
  readonly clipGrad?: number;
  /** What `clipGrad` bounds; default "norm". */
  readonly clipMode?: ClipMode;
  /** Each layer's rate is this times the rate of the layer after it; default 1. */
  readonly layerDecay?: number;
}

/** A parameter with its place in the model. */
export interface TrainedParameter extends NamedSlot, ParameterInfo {
  readonly hidden: boolean;
  /** Layers between this one and the head, the head included. */
  readonly below: number;
  /** One of the last two parameters, the classifier's: timm's exception to adaptive clipping. */
  readonly classifier: boolean;
}

/** The state tensor that keeps a moment of a parameter. */
export const momentName = (moment: string, parameter: string): string => `${moment}/${parameter}`;

export function trainedParameters(model: Pick<Model, "name" | "slots">): TrainedParameter[] {
  const parameters = model.slots.filter((s) => s.slot === "parameter");
  const { count, layer } = layersOf(model);
  return parameters.map((s, i) => {
    const at = layer.get(s.name) as number;
    const classifier = i >= parameters.length - 2;
    return { ...s, hidden: at > 0 && at < count - 1, below: count - 1 - at, classifier };
  });
}

/** Names and shapes of the moments an optimizer keeps for parameters. */
export const momentShapes = (
  optimizer: Optimizer,
  parameters: readonly TrainedParameter[],
): [name: string, shape: Shape][] =>
  parameters.flatMap((p) =>
    Object.entries(optimizer.moments(p)).map(([m, shape]): [string, Shape] => [momentName(m, p.name), shape]),
  );

/**
 * Puts the next value and moments of every parameter, and the optimizer's scalars, into `next`.
 * `norm` is that of the whole gradient.
 */
export function applyOptimizer(
  { optimizer, weightDecay = 0, layerDecay = 1, clipGrad, clipMode = "norm" }: UpdateOptions,
  parameters: readonly TrainedParameter[],
  slots: ReadonlyMap<string, Tensor>,
  gradients: readonly Tensor[],
  next: Map<string, Tensor>,
  { lr, norm }: { lr: Tensor; norm: Tensor },
): void {
  const scalars = Object.fromEntries(
    Object.entries(optimizer.scalars).map(([name, advance]) => {
      const value = advance(input(name, "float32", []));
      next.set(name, value);
      return [name, value];
    }),
  );
  const gradScale = clipGrad !== undefined && clipMode === "norm" ? clipFactor(norm, clipGrad) : undefined;
  const rates = layerRates(lr, layerDecay);
  parameters.forEach((parameter, i) => {
    const { name, decay, classifier } = parameter;
    const value = slots.get(name) as Tensor;
    const kept = Object.entries(optimizer.moments(parameter));
    const moments = Object.fromEntries(kept.map(([m, s]) => [m, input(momentName(m, name), "float32", s)]));
    const context = { lr: rates(parameter.below), gradScale, weightDecay: decay ? weightDecay : 0, scalars };
    let gradient = gradients[i];
    if (clipGrad !== undefined && clipMode === "value") gradient = clipValue(gradient, clipGrad);
    if (clipGrad !== undefined && clipMode === "agc" && !classifier) gradient = adaptiveClip(gradient, value, clipGrad);
    const updated = optimizer.update({ value, moments }, gradient, context);
    next.set(name, updated.value);
    for (const [m, t] of Object.entries(updated.moments)) next.set(momentName(m, name), t);
  });
}

/** lr · decay^below, one node a layer; lr itself where the factor is 1. */
function layerRates(lr: Tensor, decay: number): (below: number) => Tensor {
  const rates = new Map<number, Tensor>();
  return (below) => {
    const factor = decay ** below;
    if (!rates.has(below)) rates.set(below, factor === 1 ? lr : lr.mul(factor));
    return rates.get(below) as Tensor;
  };
}
