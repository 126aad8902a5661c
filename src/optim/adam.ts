import { type AdamWOptions, adamw } from "./adamw.ts";
import { type Optimizer, scaled } from "./optimizer.ts";

/** Adam (Kingma and Ba 2015, algorithm 1) with decay as part of the gradient, g + λw, as PyTorch's `Adam`. */
export function adam(options: Omit<AdamWOptions, "nesterov"> = {}): Optimizer {
  const { update, ...rest } = adamw(options);
  return {
    ...rest,
    name: "adam",
    update: (parameter, gradient, { gradScale, weightDecay, ...context }) => {
      if (weightDecay === 0) return update(parameter, gradient, { ...context, gradScale, weightDecay });
      const g = scaled(gradient, gradScale).add(parameter.value.mul(weightDecay));
      return update(parameter, g, { ...context, weightDecay: 0 });
    },
  };
}
