import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "./activation.ts";
import { dropout } from "./drop.ts";
import { defaultWeight, normal, ones, zeros } from "./init.ts";
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

/**
 * fc2(a ⊙ act(b)) with [a; b] = fc1(x) (Shazeer 2020, GLU variants): `hidden` counts both halves. The gate starts
 * open: b's weights near zero, its bias one.
 */
export const gluMlp = (
  dim: number,
  hidden: number,
  { act = "sigmoid", drop = 0, weightInit = defaultWeight, biasInit = zeros }: MlpOptions = {},
) =>
  module(
    {
      fc1: linear(dim, hidden, {
        weightInit: halves(weightInit, normal(1e-6)),
        biasInit: halves(biasInit, ones),
      }),
      drop1: dropout(drop),
      fc2: linear(hidden / 2, dim, { weightInit, biasInit }),
      drop2: dropout(drop),
    },
    (m, x: Tensor) => {
      const [a, b] = m.fc1(x).split(2, -1);
      return m.drop2(m.fc2(m.drop1(a.mul(activation(act)(b)))));
    },
  );

/** One initialisation for the first half of the rows, another for the rest; fans are those of the whole. */
const halves =
  (first: Init, second: Init): Init =>
  (shape, random) => {
    const values = first(shape, random);
    values.set(second([shape[0] / 2, ...shape.slice(1)], random), values.length / 2);
    return values;
  };
