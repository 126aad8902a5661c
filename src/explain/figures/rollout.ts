import { constant, type Tensor } from "../../graph/tensor.ts";
import { type GlobalAttention, globalAttention, sameGrid } from "../attention.ts";
import { attributionDrawing } from "../attribution.ts";
import { batchOf, type Figure, type FigureContext } from "../figure.ts";
import { answer, floats, type Inside } from "../subject.ts";

/** The identity [L, L]. */
export const eye = (length: number): Tensor =>
  constant(
    Float64Array.from({ length: length * length }, (_, i) => (i % (length + 1) === 0 ? 1 : 0)),
    [length, length],
  );

/** R ← (A_l)… R over layers, each [n, L, L]; starts at the identity. */
export const chain = (layers: readonly Tensor[]): Tensor => layers.reduce((r, a) => a.matmul(r));

/** What the class token, or without one the mean of all patches, draws from each patch: [n, h·w]. */
export function patchRow(relevance: Tensor, { grid: { prefix } }: GlobalAttention): Tensor {
  const length = relevance.shape[2];
  const row = prefix > 0 ? relevance.slice(1, 0, 1).squeeze(1) : relevance.mean([1]);
  return row.slice(1, prefix, length);
}

/** Â = (Ā + I) / 2, heads averaged, rows summing to one; the product over the layers. */
function rolled({ model, of }: { model: FigureContext["model"]; of: Inside }) {
  const layers = sameGrid(globalAttention(model, of));
  const steps = layers.map(({ probs }) => probs.mean([1]).add(eye(probs.shape[2])).mul(0.5));
  return { row: patchRow(chain(steps), layers[0]), grid: layers[0].grid, layers: layers.length };
}

export const rollout: Figure = {
  title: "Attention rollout",
  source: "Abnar and Zuidema 2020, Quantifying Attention Flow in Transformers, section 3",
  images: true,
  async draw(context) {
    let found: ReturnType<typeof rolled> | undefined;
    const result = await answer(context, batchOf(context.pictures), (of) => {
      found = rolled({ model: context.model, of });
      return new Map([["row", found.row]]);
    });
    const { grid, layers } = found as ReturnType<typeof rolled>;
    return attributionDrawing(context, {
      title: this.title,
      caption: `Attention followed back through ${layers} layers, half of each step passing by the residual: how much of each patch the output has seen.`,
      values: floats(result, "row"),
      size: grid.size,
    });
  },
};
