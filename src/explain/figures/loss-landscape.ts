import { TesseraeError } from "../../errors.ts";
import { type Figure, type FigureContext, lacks } from "../figure.ts";
import { crossEntropy, filterNormalised, movedWeights } from "../landscape.ts";
import { askEach, inquire } from "../subject.ts";

/** Points a side of the plane, from -1 to 1, the model in the middle. */
const SIDE = 11;
/** Points between two of them on the line. */
const FINER = 2;
const BATCH = 16;

interface Point {
  readonly alpha: number;
  readonly beta: number;
  readonly loss: number;
}

/** count numbers from -1 to 1. */
const spread = (count: number): number[] => Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1);

/** Mean cross-entropy on the pictures at weights w + α·d₁ + β·d₂. */
export async function lossesAt(
  context: FigureContext,
  points: readonly Pick<Point, "alpha" | "beta">[],
): Promise<Point[]> {
  const { model, weights, pictures, backend, seed } = context;
  const [first, second] = [1, 2].map((number) => filterNormalised(model, weights, seed, number));
  const labels = pictures.map(({ label, target }) => label ?? target);
  const inputs = pictures.map((p) => p.input);
  const batch = Math.min(BATCH, pictures.length);
  const moved = await backend.createState(weights);
  const inquiry = await inquire({ ...context, state: moved }, batch, (of) => new Map([["logits", of.logits]]));
  const out: Point[] = [];
  try {
    for (const { alpha, beta } of points) {
      const steps = [[alpha, first] as const, [beta, second] as const];
      await moved.write(movedWeights(weights, steps));
      const logits = await askEach(inquiry, batch, inputs, 0, "logits");
      out.push({ alpha, beta, loss: crossEntropy(logits, labels) });
    }
  } finally {
    await inquiry.dispose();
    await moved.dispose();
  }
  return out;
}

export const lossLandscape: Figure = {
  title: "Loss around the model",
  source: "Li et al. 2018, Visualizing the Loss Landscape of Neural Nets, section 4",
  images: true,
  set: true,
  most: 32,
  async draw(context) {
    const { pictures, model } = context;
    if (model.numClasses === 0) throw lacks(model, "no classifier whose loss could be drawn");
    const plane = spread(SIDE).flatMap((beta) => spread(SIDE).map((alpha) => ({ alpha, beta })));
    const line = spread(FINER * (SIDE - 1) + 1).map((alpha) => ({ alpha, beta: 0 }));
    const losses = await lossesAt(context, [...line, ...plane]);
    const own = losses[(line.length - 1) / 2].loss;
    if (!Number.isFinite(own)) throw new TesseraeError("model", `${model.name} has a loss that is not finite`);
    // Far from the weights numbers may overflow: there the picture stays empty.
    const finite = (points: readonly Point[]) => points.filter(({ loss }) => Number.isFinite(loss));
    const [onLine, onPlane] = [finite(losses.slice(0, line.length)), finite(losses.slice(line.length))];
    const known = pictures.every((p) => p.label !== undefined);
    const half = 1 / (SIDE - 1);
    const cells = onPlane.map((p) => ({
      ...{ left: p.alpha - half, right: p.alpha + half, low: p.beta - half, high: p.beta + half },
      loss: Math.max(p.loss, 1e-4),
    }));
    return {
      kind: "chart",
      title: this.title,
      caption: `Cross-entropy on ${pictures.length} images${known ? "" : " (of the model's own answers)"} as the weights move along drawn directions whose filters are as long as the model's. The model is at 0, its loss ${own.toPrecision(3)}; at 1 a filter has moved by its own length. Biases, norms and running statistics stay.`,
      data: { seed: context.seed, line: onLine, plane: onPlane },
      spec: {
        hconcat: [
          {
            width: 280,
            height: 260,
            data: { values: onLine },
            mark: { type: "line", point: true },
            encoding: {
              x: { field: "alpha", type: "quantitative", title: "along the first direction" },
              y: { field: "loss", type: "quantitative", title: "loss" },
            },
          },
          {
            width: 260,
            height: 260,
            data: { values: cells },
            mark: { type: "rect", stroke: null },
            encoding: {
              x: { field: "left", type: "quantitative", title: "along the first direction" },
              x2: { field: "right" },
              y: { field: "low", type: "quantitative", title: "along the second" },
              y2: { field: "high" },
              color: {
                field: "loss",
                type: "quantitative",
                scale: { type: "log", scheme: "viridis" },
                legend: { title: "loss", gradientLength: 240 },
              },
            },
          },
        ],
      },
    };
  },
};
