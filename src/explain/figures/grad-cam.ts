import { grad } from "../../autodiff/grad.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { attributionDrawing } from "../attribution.ts";
import { batchOf, type Figure, type FigureContext, lacks } from "../figure.ts";
import { asMaps, outputAt } from "../places.ts";
import { answer, floats, type Inside } from "../subject.ts";

interface Looked {
  readonly path: string;
  /** [n, C, H, W], and the slope of the class's logit there. */
  readonly maps: Tensor;
  readonly slopes: Tensor;
}

/** The layer of a figure: the one that is asked for, else the last feature map of the model. */
function lookAt({ model, layer }: FigureContext, of: Inside): Looked {
  const path = layer ?? lastMap(model, of);
  const output = outputAt(of.outputs, path);
  if (!output) throw lacks(model, `no module ${path} that gives one tensor`);
  const maps = asMaps(output, model);
  if (!maps) throw lacks(model, `no places in what ${path} gives, [${output.shape}]`);
  const [slope] = grad(of.score, [output]);
  return { path, maps, slopes: asMaps(slope, model) as Tensor };
}

function lastMap(model: FigureContext["model"], { outputs }: Inside): string {
  const known = model.featureInfo.map((f) => f.module).filter((m) => outputAt(outputs, m));
  const last = known.at(-1);
  if (last !== undefined && !isTokenModel(model, outputAt(outputs, last))) return last;
  // The class token reads the patches only before the last block's attention: its input is looked at.
  if (known.length > 1) return known[known.length - 2];
  throw lacks(model, "no feature maps; name a module with --layer");
}

const isTokenModel = (model: FigureContext["model"], t?: Tensor): boolean =>
  t?.rank === 3 && model.options.global_pool === "token";

type Weigh = (maps: Tensor, slopes: Tensor) => Tensor;

/** relu(Σ_c α_c A_c) of [n, C, H, W] with weights α [n, C, 1, 1]: [n, H·W]. */
const weighted = (maps: Tensor, weights: Tensor): Tensor => {
  const map = maps.mul(weights).sum([1]).relu();
  return map.reshape([map.shape[0], map.shape[1] * map.shape[2]]);
};

function camFigure(title: string, source: string, what: string, weigh: Weigh): Figure {
  return {
    title,
    source,
    images: true,
    async draw(context) {
      let looked: Looked | undefined;
      const result = await answer(context, batchOf(context.pictures), (of) => {
        looked = lookAt(context, of);
        return new Map([["map", weighted(looked.maps, weigh(looked.maps, looked.slopes))]]);
      });
      const { maps, path } = looked as Looked;
      return attributionDrawing(context, {
        title: `${title} of ${path}`,
        caption: `Where ${path} speaks for the class: its channels, weighted by ${what}.`,
        values: floats(result, "map"),
        size: [maps.shape[2], maps.shape[3]],
      });
    },
  };
}

/** α_c = mean over places of ∂y/∂A_c (eq. 1). */
export const gradCam = camFigure(
  "Grad-CAM",
  "Selvaraju et al. 2017, Grad-CAM, equations 1 and 2",
  "the mean slope of the class's logit",
  (_, slopes) => slopes.mean([2, 3], true),
);

/** α_c = Σ g⁺ · g² / (2 g² + g³ Σ A_c), with g the slope of exp(y), whose higher derivatives are its powers (eq. 19). */
export const gradCamPlusPlus = camFigure(
  "Grad-CAM++",
  "Chattopadhay et al. 2018, Grad-CAM++, equation 19",
  "positive slopes, each place by its own share",
  (maps, slopes) => {
    const square = slopes.square();
    const below = square.mul(2).add(square.mul(slopes).mul(maps.sum([2, 3], true)));
    const share = square.div(below.equal(0).where(1, below));
    return share.mul(slopes.relu()).sum([2, 3], true);
  },
);
