import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "../nn/activation.ts";
import { dropout } from "../nn/drop.ts";
import { linear } from "../nn/linear.ts";
import { identity, module, tap } from "../nn/module.ts";
import { pair } from "../nn/size.ts";
import { type CommonOptions, family, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";

export interface MlpOptions extends CommonOptions {
  /** Width of every hidden layer. */
  embed_dim: number;
  /** Hidden layers. */
  depth: number;
  act_layer: Activation;
}

/**
 * The multilayer perceptron: all pixels into one vector, then x = σ(W x + b), `depth` times. It knows nothing of where
 * a pixel lies, so it learns as well from images whose pixels are permuted: the control of experiments on inductive
 * bias. Its first weight belongs to one image size.
 */
export function plainMlp(o: MlpOptions): Network {
  if (o.global_pool !== "")
    throw new TesseraeError("usage", "a plain MLP has nothing to pool", { hint: "Leave it out" });
  if (o.drop_path_rate > 0) throw new TesseraeError("usage", "a plain MLP has no drop path", { hint: "Leave it at 0" });
  const [height, width] = pair(o.img_size);
  const pixels = o.in_chans * height * width;
  const layer = (i: number) =>
    module({ fc: linear(i > 0 ? o.embed_dim : pixels, o.embed_dim) }, (m, x: Tensor) =>
      activation(o.act_layer)(m.fc(x)),
    );
  return network(
    {
      layers: Array.from({ length: o.depth }, (_, i) => layer(i)),
      head_drop: dropout(o.drop_rate),
      head: o.num_classes > 0 ? linear(o.embed_dim, o.num_classes) : identity(),
    },
    {
      features: (m, x) =>
        m.layers.reduce((y, layer, i) => tap(`layers.${i}.out`, layer(y)), x.reshape([x.shape[0], pixels])), // [N, D]
      head: (m, x) => m.head(m.head_drop(x)),
      pyramid: (m, x) => {
        x = x.reshape([x.shape[0], pixels]);
        return m.layers.map((layer) => {
          x = layer(x);
          return x.reshape([x.shape[0], o.embed_dim, 1, 1]);
        });
      },
      featureInfo: Array.from({ length: o.depth }, (_, i) => ({
        num_chs: o.embed_dim,
        reduction: Math.max(height, width),
        module: `layers.${i}`,
      })),
    },
  );
}

export default family<MlpOptions>({
  paper: "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
  defaults: {
    num_classes: 10,
    img_size: 32,
    in_chans: 3,
    global_pool: "",
    drop_rate: 0,
    drop_path_rate: 0,
    embed_dim: 512,
    depth: 3,
    act_layer: "gelu",
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 1 },
  build: plainMlp,
  variants: { mlp: {} },
});
