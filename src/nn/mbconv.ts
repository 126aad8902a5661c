import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "./activation.ts";
import { type ConvOptions, conv2d } from "./conv.ts";
import { dropPath } from "./drop.ts";
import { kaimingNormalFanOut, zeros } from "./init.ts";
import { identity, module, tap } from "./module.ts";
import { type BatchNormOptions, batchNorm } from "./norm.ts";
import { squeezeExcite } from "./squeeze-excite.ts";

/**
 * The nearest multiple of `divisor` to a number of channels, at least one of them; one more where that would lose
 * over 1 - limit of the width (MobileNetV2's rule).
 */
export function makeDivisible(channels: number, divisor = 8, limit = 0.9): number {
  const rounded = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return rounded < limit * channels ? rounded + divisor : rounded;
}

/** To the nearest whole number, halves to the even one, as Python's round: published widths and depths count on it. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2) : Math.round(x);
}

/** Squeeze-and-excitation inside a block. */
export interface BlockSqueeze {
  /** Reduced channels as a share of the channels of `of`. */
  ratio: number;
  /** Default input: EfficientNet counts from the block's input, MobileNetV3 from the expanded width. */
  of?: "input" | "expanded";
  /** Round to a multiple of 8; default: to a whole number. */
  divisible?: boolean;
  /** Default: the block's. */
  act?: Activation;
  gate?: Activation;
}

export interface MobileBlockOptions {
  /** Of the convolution that sees more than a pixel; default 3. */
  kernel?: number;
  stride?: number;
  /** Expanded channels per input channel; default 1. */
  expand?: number;
  /** Default relu. */
  act?: Activation;
  padding?: ConvOptions["padding"];
  norm?: BatchNormOptions;
  se?: BlockSqueeze;
  /** Add the input where its shape is the output's; default true. */
  skip?: boolean;
  dropPath?: number;
}

/** A convolution without bias, initialised as TensorFlow's mobile networks are: variance 2 / fan out of a group. */
export const mobileConv = (inChans: number, out: number, kernel: number, options: ConvOptions = {}) =>
  conv2d(inChans, out, kernel, { bias: false, weightInit: kaimingNormalFanOut(options.groups), ...options });

/** What all blocks share: the activation, how convolutions pad, the squeeze, the skip. */
function common(inChans: number, out: number, mid: number, o: MobileBlockOptions) {
  const { stride = 1, act = "relu", padding, se, skip = true } = o;
  const squeezed = (se?.of === "expanded" ? mid : inChans) * (se?.ratio ?? 0);
  const reduced = se?.divisible ? makeDivisible(squeezed) : roundHalfEven(squeezed);
  const skips = skip && stride === 1 && inChans === out;
  const init = { weightInit: kaimingNormalFanOut(), biasInit: zeros };
  return {
    f: activation(act),
    conv: (from: number, to: number, kernel: number, options: ConvOptions = {}) =>
      mobileConv(from, to, kernel, { padding, ...options }),
    norm: (channels: number) => batchNorm(channels, o.norm),
    se: se ? squeezeExcite(mid, reduced, { act: se.act ?? act, gate: se.gate, ...init }) : identity(),
    drop_path: dropPath(skips ? (o.dropPath ?? 0) : 0), // only what a skip can stand in for
    add: (y: Tensor, x: Tensor): Tensor => tap("out", skips ? y.add(x) : y),
  };
}

/** Convolution, norm and activation; a skip is added after the activation (EfficientNetV2's first stage). */
export function convBlock(inChans: number, out: number, o: MobileBlockOptions = {}) {
  const { f, conv, norm, drop_path, add } = common(inChans, out, out, o);
  return module(
    { conv: conv(inChans, out, o.kernel ?? 3, { stride: o.stride }), bn1: norm(out), drop_path },
    (m, x: Tensor) => add(m.drop_path(f(m.bn1(m.conv(x)))), x),
  );
}

/** Depthwise, squeeze, pointwise (Howard et al. 2017, figure 3); `pointAct` also after the pointwise half. */
export function depthwiseSeparable(inChans: number, out: number, o: MobileBlockOptions & { pointAct?: boolean } = {}) {
  const { f, conv, norm, se, drop_path, add } = common(inChans, out, inChans, o);
  return module(
    {
      conv_dw: conv(inChans, inChans, o.kernel ?? 3, { stride: o.stride, groups: inChans }),
      bn1: norm(inChans),
      se,
      conv_pw: conv(inChans, out, 1),
      bn2: norm(out),
      drop_path,
    },
    (m, x: Tensor) => {
      const y = m.bn2(m.conv_pw(m.se(f(m.bn1(m.conv_dw(x))))));
      return add(m.drop_path(o.pointAct ? f(y) : y), x);
    },
  );
}

/** Inverted residual, MBConv (Sandler et al. 2018, figure 4d): expand, depthwise, squeeze, project without activation. */
export function mbconv(inChans: number, out: number, o: MobileBlockOptions = {}) {
  const mid = makeDivisible(inChans * (o.expand ?? 1));
  const { f, conv, norm, se, drop_path, add } = common(inChans, out, mid, o);
  return module(
    {
      conv_pw: conv(inChans, mid, 1),
      bn1: norm(mid),
      conv_dw: conv(mid, mid, o.kernel ?? 3, { stride: o.stride, groups: mid }),
      bn2: norm(mid),
      se,
      conv_pwl: conv(mid, out, 1),
      bn3: norm(out),
      drop_path,
    },
    (m, x: Tensor) => {
      const y = m.se(f(m.bn2(m.conv_dw(f(m.bn1(m.conv_pw(x)))))));
      return add(m.drop_path(m.bn3(m.conv_pwl(y))), x);
    },
  );
}

/** Fused MBConv (Tan and Le 2021, figure 2): one full convolution in place of expansion and depthwise. */
export function fusedMbconv(inChans: number, out: number, o: MobileBlockOptions = {}) {
  const mid = makeDivisible(inChans * (o.expand ?? 1));
  const { f, conv, norm, se, drop_path, add } = common(inChans, out, mid, o);
  return module(
    {
      conv_exp: conv(inChans, mid, o.kernel ?? 3, { stride: o.stride }),
      bn1: norm(mid),
      se,
      conv_pwl: conv(mid, out, 1),
      bn2: norm(out),
      drop_path,
    },
    (m, x: Tensor) => add(m.drop_path(m.bn2(m.conv_pwl(m.se(f(m.bn1(m.conv_exp(x))))))), x),
  );
}
