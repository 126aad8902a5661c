import type { Tensor } from "../graph/tensor.ts";
import type { Shape } from "../graph/types.ts";

/** What an optimizer may know of a parameter before there are values. */
export interface ParameterInfo {
  readonly shape: Shape;
  /** Between the stem and the head of its model; default true. */
  readonly hidden?: boolean;
}

/** What one update sees. Scalars are tensors of shape []. */
export interface UpdateContext {
  /** Learning rate of this parameter. */
  readonly lr: Tensor;
  /** Factor on the gradient, from clipping; absent: 1. */
  readonly gradScale?: Tensor;
  /** Weight decay of this parameter; 0: none. */
  readonly weightDecay: number;
  /** This step's values of the optimizer's scalars. */
  readonly scalars: Readonly<Record<string, Tensor>>;
}

/** A parameter before or after an update, with its moments. */
export interface Updated {
  readonly value: Tensor;
  readonly moments: Readonly<Record<string, Tensor>>;
}

/** An optimizer emits nodes: one update per parameter, and a few scalars shared by all. */
export interface Optimizer {
  readonly name: string;
  /** Names and shapes of the moments kept for a parameter, starting at zero. */
  readonly moments: (parameter: ParameterInfo) => Readonly<Record<string, Shape>>;
  /** Scalars kept between steps, starting at zero, and their next values. */
  readonly scalars: Readonly<Record<string, (old: Tensor) => Tensor>>;
  readonly update: (parameter: Updated, gradient: Tensor, context: UpdateContext) => Updated;
}

/** g · scale where clipping asks for it. */
export const scaled = (gradient: Tensor, scale: Tensor | undefined): Tensor => (scale ? gradient.mul(scale) : gradient);

/** w · (1 - lr · decay): decay apart from the gradient (Loshchilov and Hutter 2019). */
export const decayed = (value: Tensor, lr: Tensor, weightDecay: number): Tensor =>
  weightDecay === 0 ? value : value.mul(lr.mul(-weightDecay).add(1));
