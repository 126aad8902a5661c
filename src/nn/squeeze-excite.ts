import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "./activation.ts";
import { conv2d } from "./conv.ts";
import { type Init, module } from "./module.ts";

export interface SqueezeExciteOptions {
  /** Of the reduced channels; default relu. */
  act?: Activation;
  /** What the channels are multiplied by; default sigmoid. */
  gate?: Activation;
  weightInit?: Init;
  biasInit?: Init;
}

/** x · gate(expand(act(reduce(mean of x over the image)))), with names of timm's mobile networks. */
export const squeezeExcite = (channels: number, reduced: number, options: SqueezeExciteOptions = {}) => {
  const { reduce, expand, act, gate } = parts(channels, reduced, options);
  return module({ conv_reduce: reduce, conv_expand: expand }, (m, x: Tensor) =>
    x.mul(gate(m.conv_expand(act(m.conv_reduce(squeeze(x)))))),
  );
};

/** The same (Hu et al. 2018, figure 2) with the names of timm's general SEModule: MaxViT's, among others. */
export const seModule = (channels: number, reduced: number, options: SqueezeExciteOptions = {}) => {
  const { reduce, expand, act, gate } = parts(channels, reduced, options);
  return module({ fc1: reduce, fc2: expand }, (m, x: Tensor) => x.mul(gate(m.fc2(act(m.fc1(squeeze(x)))))));
};

const squeeze = (x: Tensor): Tensor => x.mean([2, 3], true); // [N, C, 1, 1]

function parts(channels: number, reduced: number, { act = "relu", gate = "sigmoid", ...init }: SqueezeExciteOptions) {
  return {
    reduce: conv2d(channels, reduced, 1, init),
    expand: conv2d(reduced, channels, 1, init),
    act: activation(act),
    gate: activation(gate),
  };
}
