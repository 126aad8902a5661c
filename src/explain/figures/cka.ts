import type { Tensor } from "../../graph/tensor.ts";
import { batchOf, type Figure, type FigureContext, lacks, type Picture } from "../figure.ts";
import { outputAt } from "../places.ts";
import { answer, floats, type Subject } from "../subject.ts";

/** Fewest images: the unbiased estimate divides by n - 3. */
const LEAST = 4;

/** Gram matrix [n, n] of what a layer gives for each image, divided by its width. */
function gram(output: Tensor): Tensor {
  const n = output.shape[0];
  const rows = output.reshape([n, output.size / n]);
  return rows.mul(1 / Math.sqrt(rows.shape[1])).matmul(rows.mT());
}

/** Gram matrices by layer: those of the feature maps, in order. */
async function gramsOf(subject: Subject, pictures: readonly Picture[]): Promise<Map<string, Float64Array>> {
  const { model } = subject;
  const result = await answer(subject, batchOf(pictures), ({ outputs }) => {
    const found = model.featureInfo.flatMap(({ module }) => {
      const output = outputAt(outputs, module);
      return output ? [[module, gram(output)] as const] : [];
    });
    if (found.length === 0) throw lacks(model, "no feature maps to compare");
    return new Map(found);
  });
  return new Map([...result.keys()].map((path) => [path, Float64Array.from(floats(result, path))]));
}

/**
 * Unbiased HSIC of two Gram matrices with zero diagonals (Nguyen et al. 2021, eq. 3):
 * [tr(KL) + 1ᵀK1·1ᵀL1 / ((n-1)(n-2)) - 2/(n-2) 1ᵀKL1] / (n(n-3)).
 */
function hsic(k: Float64Array, l: Float64Array, n: number): number {
  let [trace, cross] = [0, 0];
  const [sumK, sumL] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (i === j) continue;
      trace += k[i * n + j] * l[i * n + j];
      sumK[i] += k[i * n + j];
      sumL[i] += l[i * n + j];
    }
  for (let i = 0; i < n; i++) cross += sumK[i] * sumL[i];
  const total = (v: Float64Array) => v.reduce((a, b) => a + b, 0);
  const outer = (total(sumK) * total(sumL)) / ((n - 1) * (n - 2));
  return (trace + outer - (2 * cross) / (n - 2)) / (n * (n - 3));
}

/** CKA = HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)). */
export const cka = (k: Float64Array, l: Float64Array, n: number): number =>
  hsic(k, l, n) / Math.sqrt(hsic(k, k, n) * hsic(l, l, n));

export const similarity: Figure = {
  title: "Similarity of layers (CKA)",
  source: "Kornblith et al. 2019, Similarity of Neural Network Representations; unbiased as in Nguyen et al. 2021",
  images: true,
  most: 32,
  async draw(context: FigureContext) {
    const { pictures, against = context } = context;
    const n = pictures.length;
    if (n < LEAST) throw lacks(context.model, `no similarity of layers on ${n} images: it takes ${LEAST} or more`);
    const rows = await gramsOf(context, pictures);
    const columns = against === context ? rows : await gramsOf(against, against.pictures ?? pictures);
    const values = [...rows].flatMap(([layer, k]) =>
      [...columns].map(([other, l]) => ({ layer, other, similarity: cka(k, l, n) })),
    );
    const axis = (field: string, title: string, labelAngle: number) => ({
      field,
      type: "nominal",
      sort: null,
      title,
      axis: { labelAngle },
    });
    return {
      kind: "chart",
      title: this.title,
      caption: `Linear CKA on ${n} images: 1 where two layers arrange the images alike, 0 where they do not.`,
      data: values,
      spec: {
        width: { step: 26 },
        height: { step: 26 },
        data: { values },
        mark: { type: "rect", tooltip: true },
        encoding: {
          x: axis("other", against.model.name, -60),
          y: axis("layer", context.model.name, 0),
          color: {
            field: "similarity",
            type: "quantitative",
            scale: { domain: [0, 1], scheme: "magma" },
            title: "CKA",
          },
        },
      },
    };
  },
};
