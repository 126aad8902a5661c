import { TesseraeError } from "../errors.ts";
import type { Activation } from "../nn/activation.ts";
import { conv2d } from "../nn/conv.ts";
import { dropout } from "../nn/drop.ts";
import { globalPool } from "../nn/global-pool.ts";
import { linear } from "../nn/linear.ts";
import { identity, tap } from "../nn/module.ts";
import { batchNorm, layerNorm2d } from "../nn/norm.ts";
import { act, type Layer, residual, sequential } from "../nn/sequential.ts";
import { pair } from "../nn/size.ts";
import { type CommonOptions, family, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";

export interface ConvMixerOptions extends CommonOptions {
  /** Width h. */
  dim: number;
  /** Blocks d. */
  depth: number;
  /** Of the depthwise convolutions, k. */
  kernel_size: number;
  /** Kernel and stride of the first convolution, p. */
  patch_size: number;
  /** What the paper ablates (appendix B): the activation σ, the normalisation, the skip around the depthwise half. */
  act: Activation;
  norm: "batch" | "layer";
  residual: boolean;
}

/**
 * ConvMixer: "Patches Are All You Need?" (Trockman and Kolter 2022, figure 2, eqs. 1 to 3). An isotropic network:
 * after the patches, resolution and width stay as they are.
 */
export function convMixer(o: ConvMixerOptions): Network {
  check(o);
  const { dim } = o;
  const norm = () => (o.norm === "batch" ? batchNorm(dim) : layerNorm2d(dim));
  const actNorm = (conv: Layer) => [conv, act(o.act), norm()]; // every convolution: norm(σ(conv(x)))
  const block = () =>
    sequential(
      // eq. 2, mixes locations: norm(σ(depthwise(x))) + x
      residual(sequential(...actNorm(conv2d(dim, dim, o.kernel_size, { groups: dim, padding: "same" }))), o.residual),
      // eq. 3, mixes channels: norm(σ(pointwise(x)))
      ...actNorm(conv2d(dim, dim, 1)),
    );
  return network(
    {
      stem: sequential(...actNorm(conv2d(o.in_chans, dim, o.patch_size, { stride: o.patch_size, padding: 0 }))), // eq. 1
      blocks: Array.from({ length: o.depth }, block),
      global_pool: globalPool(o.global_pool, o.num_classes),
      head_drop: dropout(o.drop_rate),
      head: o.num_classes > 0 ? linear(dim, o.num_classes) : identity(),
    },
    {
      features: (m, x) => m.blocks.reduce((y, block, i) => tap(`blocks.${i}.out`, block(y)), m.stem(x)),
      head: (m, x) => m.head(m.head_drop(m.global_pool(x))),
      pyramid: (m, x) => {
        x = m.stem(x);
        return m.blocks.map((block) => {
          x = block(x);
          return x;
        });
      },
      featureInfo: Array.from({ length: o.depth }, (_, i) => ({
        num_chs: dim,
        reduction: o.patch_size,
        module: `blocks.${i}`,
      })),
    },
  );
}

function check(o: ConvMixerOptions): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  for (const key of ["dim", "depth", "kernel_size"] as const)
    if (!Number.isInteger(o[key]) || o[key] < 1)
      throw usage(`option ${key} takes a positive whole number, not ${JSON.stringify(o[key])}`);
  const image = pair(o.img_size);
  if (Math.min(...image) < o.patch_size)
    throw usage(
      `image size ${image.join("x")} is smaller than the patch ${o.patch_size}x${o.patch_size}`,
      `The nearest that fits is ${image.map((s) => Math.max(s, o.patch_size)).join("x")}`,
    );
  if (o.norm !== "batch" && o.norm !== "layer") throw usage(`norm is batch or layer, not ${JSON.stringify(o.norm)}`);
  if (o.drop_path_rate > 0) throw usage("a ConvMixer has no drop path", "Leave drop_path_rate at 0");
}

export default family<ConvMixerOptions>({
  paper: "Trockman and Kolter 2022, Patches Are All You Need?, arXiv:2201.09792",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    dim: 1536,
    depth: 20,
    kernel_size: 9,
    patch_size: 7,
    act: "gelu",
    norm: "batch",
    residual: true,
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.96 },
  build: convMixer,
  variants: {
    convmixer_768_32: { dim: 768, depth: 32, kernel_size: 7, act: "relu" },
    convmixer_1024_20_ks9_p14: { dim: 1024, patch_size: 14 },
    convmixer_1536_20: {},
    /** Any other: set dim, depth, kernel_size, patch_size and img_size. The paper's model for CIFAR-10 (table 4). */
    convmixer: { dim: 256, depth: 8, kernel_size: 5, patch_size: 2, img_size: 32, num_classes: 10 },
  },
});
