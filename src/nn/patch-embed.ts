import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type ConvOptions, conv2d } from "./conv.ts";
import { linear } from "./linear.ts";
import { module } from "./module.ts";
import { layerNorm } from "./norm.ts";
import type { Size } from "./size.ts";

/** Patches per side; throws TesseraeError("usage") where the image is no whole number of patches. */
export function patchGrid(image: Size, patch: Size): Size {
  if (image[0] % patch[0] || image[1] % patch[1])
    throw new TesseraeError(
      "usage",
      `image size ${image.join("x")} is not a multiple of the patch ${patch.join("x")}`,
      {
        hint: `The nearest that fits is ${image.map((s, i) => Math.max(1, Math.round(s / patch[i])) * patch[i]).join("x")}`,
      },
    );
  return [image[0] / patch[0], image[1] / patch[1]];
}

/** [N, C, H, W] to tokens [N, H/P · W/P, D]: the linear projection of flattened patches (ViT, eq. 1). */
export const patchEmbed = (
  inChans: number,
  dim: number,
  patch: Size,
  options: Pick<ConvOptions, "bias" | "weightInit" | "biasInit"> = {},
) =>
  module({ proj: conv2d(inChans, dim, patch, { ...options, stride: patch, padding: 0 }) }, (m, x: Tensor) => {
    const y = m.proj(x);
    return y.reshape([y.shape[0], dim, y.shape[2] * y.shape[3]]).transpose([0, 2, 1]);
  });

/** The same with a norm of the flattened patch, by row, column and channel, before the projection and one after it. */
export const normPatchEmbed = (inChans: number, dim: number, patch: Size) => {
  const width = patch[0] * patch[1] * inChans;
  return module(
    {
      norm_in: layerNorm(width, { epsilon: 1e-5 }),
      proj: linear(width, dim),
      norm_out: layerNorm(dim, { epsilon: 1e-5 }),
    },
    (m, x: Tensor) => {
      const [n, c, height, columns] = x.shape;
      const [rows, cols] = [height / patch[0], columns / patch[1]];
      const tiles = x.reshape([n, c, rows, patch[0], cols, patch[1]]).transpose([0, 2, 4, 3, 5, 1]);
      return m.norm_out(m.proj(m.norm_in(tiles.reshape([n, rows * cols, width]))));
    },
  );
};
