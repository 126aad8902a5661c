import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "./activation.ts";
import { dropout } from "./drop.ts";
import { linear } from "./linear.ts";
import { type Init, module } from "./module.ts";

export interface MlpOptions {
  act?: Activation;
  drop?: number;
  weightInit?: Init;
  biasInit?: Init;
}

/** fc2(act(fc1(x))), with dropout after each. */
export const mlp = (dim: number, hidden: number, { act = "gelu", drop = 0, weightInit, biasInit }: MlpOptions = {}) =>
  module(
    {
      fc1: linear(dim, hidden, { weightInit, biasInit }),
      drop1: dropout(drop),
      fc2: linear(hidden, dim, { weightInit, biasInit }),
      drop2: dropout(drop),
    },
    (m, x: Tensor) => m.drop2(m.fc2(m.drop1(activation(act)(m.fc1(x))))),
  );
