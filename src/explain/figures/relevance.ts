import { grad } from "../../autodiff/grad.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { globalAttention, sameGrid } from "../attention.ts";
import { attributionDrawing } from "../attribution.ts";
import { batchOf, type Figure } from "../figure.ts";
import { answer, floats } from "../subject.ts";
import { chain, eye, patchRow } from "./rollout.ts";

/** Ā = mean over heads of (∂y/∂A ⊙ A)⁺ (eq. 5); R ← R + Ā R (eq. 6). */
export const relevance: Figure = {
  title: "Gradient-weighted rollout",
  source: "Chefer, Gur and Wolf 2021, Generic Attention-model Explainability, equations 5 and 6",
  images: true,
  async draw(context) {
    const size: number[] = [];
    const result = await answer(context, batchOf(context.pictures), (of) => {
      const layers = sameGrid(globalAttention(context.model, of));
      const slopes = grad(
        of.score,
        layers.map((l) => l.probs),
      );
      const steps = layers.map(({ probs }, i): Tensor => {
        const positive = slopes[i].mul(probs).relu().mean([1]);
        return positive.add(eye(probs.shape[2]));
      });
      size.push(...layers[0].grid.size);
      return new Map([["row", patchRow(chain(steps), layers[0])]]);
    });
    return attributionDrawing(context, {
      title: this.title,
      caption: "Attention weighted by how much it raises the class's logit, followed through the layers.",
      values: floats(result, "row"),
      size: [size[0], size[1]],
    });
  },
};
