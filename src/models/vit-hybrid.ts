import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { module } from "../nn/module.ts";
import { patchEmbed } from "../nn/patch-embed.ts";
import { pair } from "../nn/size.ts";
import { family, HALF } from "./model.ts";
import { resnetV2 } from "./resnetv2.ts";
import { at384, BASE, DEFAULTS, LARGE, SMALL, TINY, type TokenSource, type VitOptions, vit } from "./vit.ts";

export interface HybridOptions extends VitOptions {
  /** Bottlenecks of each stage of the ResNetV2 below; none: its stem alone. */
  backbone_layers: readonly number[];
}

/**
 * Hybrid ViT: "patches" of patch_size pixels of a ResNetV2's feature map in place of patches of the image
 * (Dosovitskiy et al. 2021, section 3.1, "Hybrid Architecture"; the smaller ones: Steiner et al. 2022, How to train
 * your ViT, arXiv:2106.10270, table 2). In a name, r26 counts the layers of the backbone, s32 the pixels per token.
 */
function tokensOf(o: HybridOptions): TokenSource {
  const { backbone_layers: layers } = o;
  if (!Array.isArray(layers) || layers.some((depth) => !Number.isInteger(depth) || depth < 1))
    throw new TesseraeError("usage", "option backbone_layers takes positive whole numbers, one a stage");
  const backbone = resnetV2(o.in_chans, layers);
  const patch = pair(o.patch_size);
  const map = pair(o.img_size).map((size) => Math.ceil(size / backbone.reduction));
  if (map.some((size, i) => size % patch[i]))
    throw new TesseraeError(
      "usage",
      `image size ${pair(o.img_size).join("x")} gives a map of ${map.join("x")}, no multiple of ${patch.join("x")}`,
      {
        hint: `The nearest that fits is ${map.map((size, i) => nearestImage(size, patch[i], backbone.reduction)).join("x")}`,
      },
    );
  const proj = patchEmbed(backbone.channels, o.embed_dim, patch);
  return {
    embed: module({ backbone: backbone.module, ...proj.children }, (m, x: Tensor) => proj.forward(m, m.backbone(x))),
    grid: [map[0] / patch[0], map[1] / patch[1]],
    reduction: backbone.reduction * patch[0],
  };
}

const nearestImage = (map: number, patch: number, reduction: number): number =>
  Math.max(1, Math.round(map / patch)) * patch * reduction;

const R_S16_P8 = { ...TINY, backbone_layers: [], patch_size: 8 };
const R26 = { backbone_layers: [2, 2, 2, 2] };
const R50_S16 = { backbone_layers: [3, 4, 9] };
const R50_S32 = { backbone_layers: [3, 4, 6, 3] };

export default family<HybridOptions>({
  paper: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, arXiv:2010.11929",
  defaults: { ...DEFAULTS, patch_size: 1, ...R26 },
  preprocessing: { mean: HALF, std: HALF, interpolation: "bicubic", crop_pct: 0.9 },
  build: (o) => vit(o, { tokens: tokensOf(o) }),
  variants: {
    vit_tiny_r_s16_p8_224: R_S16_P8,
    vit_tiny_r_s16_p8_384: { ...R_S16_P8, ...at384 },
    vit_small_r26_s32_224: { ...SMALL, ...R26 },
    vit_small_r26_s32_384: { ...SMALL, ...R26, ...at384 },
    vit_base_r26_s32_224: { ...BASE, ...R26 },
    vit_base_r50_s16_224: { ...BASE, ...R50_S16, num_classes: 0 },
    vit_base_r50_s16_384: { ...BASE, ...R50_S16, ...at384 },
    vit_large_r50_s32_224: { ...LARGE, ...R50_S32 },
    vit_large_r50_s32_384: { ...LARGE, ...R50_S32, ...at384 },
  },
});
