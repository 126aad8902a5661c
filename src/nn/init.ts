import { type Shape, sizeOf } from "../graph/types.ts";
import type { Init } from "./module.ts";

const from =
  (draw: (shape: Shape, random: Parameters<Init>[1]) => () => number): Init =>
  (shape, random) => {
    const next = draw(shape, random);
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = next();
    return values;
  };

export const constantInit = (value: number): Init => from(() => () => value);
export const zeros = constantInit(0);
export const ones = constantInit(1);
export const normal = (std: number): Init => from((_, random) => () => std * random.normal());
export const uniform = (bound: number): Init => from((_, random) => () => random.uniformIn(-bound, bound));

/** Normal of the given standard deviation, redrawn outside ±2 (absolute, as timm's trunc_normal_). */
export const truncNormal = (std: number): Init =>
  from((_, random) => () => {
    for (;;) {
      const v = std * random.normal();
      if (Math.abs(v) <= 2) return v;
    }
  });

/** Fan-in and fan-out of a weight [out, in, ...kernel]. */
export function fans(shape: Shape, group = 1): { fanIn: number; fanOut: number } {
  const kernel = sizeOf(shape.slice(2));
  return { fanIn: shape[1] * kernel, fanOut: (shape[0] * kernel) / group };
}

/** Uniform ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010). */
export const xavierUniform: Init = (shape, random) => {
  const { fanIn, fanOut } = fans(shape);
  return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, random);
};

/** Truncated normal with variance 1 / fan in (LeCun), drawn within ±2 standard deviations. */
export const lecunNormal: Init = (shape, random) => {
  const std = Math.sqrt(1 / fans(shape).fanIn) / 0.87962566103423978;
  return from(() => () => {
    for (;;) {
      const v = random.normal();
      if (Math.abs(v) <= 2) return std * v;
    }
  })(shape, random);
};

/** Normal with variance 2 / fan out (He et al. 2015). */
export const kaimingNormalFanOut =
  (group = 1): Init =>
  (shape, random) =>
    normal(Math.sqrt(2 / fans(shape, group).fanOut))(shape, random);

/** PyTorch's default for linear and convolution weights: uniform ±1/sqrt(fan in). */
export const defaultWeight: Init = (shape, random) => uniform(1 / Math.sqrt(fans(shape).fanIn))(shape, random);

/** PyTorch's default for a bias beside a weight of that fan-in. */
export const defaultBias = (fanIn: number): Init => uniform(1 / Math.sqrt(fanIn));
