import { attributionDrawing } from "../attribution.ts";
import type { Figure, FigureContext, Picture } from "../figure.ts";
import { askEach, type Inquiry, inquire } from "../subject.ts";

const BATCH = 16;
/** Places along a side; the covered square is two steps wide. */
const PLACES = 14;

/** The input with a square of the mean image at (row, column) of the places. */
function covered(input: Float32Array, [channels, height, width]: readonly number[], row: number, column: number) {
  const out = input.slice();
  const span = (at: number, side: number) =>
    [Math.floor(((at - 0.5) * side) / PLACES), Math.ceil(((at + 1.5) * side) / PLACES)] as const;
  const [top, bottom] = span(row, height);
  const [left, right] = span(column, width);
  for (let c = 0; c < channels; c++)
    for (let y = Math.max(0, top); y < Math.min(height, bottom); y++) {
      const start = (c * height + y) * width;
      out.fill(0, start + Math.max(0, left), start + Math.min(width, right));
    }
  return out;
}

/** How far the class's logit falls where each place is covered, [PLACES²] for one picture. */
async function falls(context: FigureContext, inquiry: Inquiry, picture: Picture): Promise<number[]> {
  const places = Array.from({ length: PLACES ** 2 }, (_, i) =>
    covered(picture.input, context.model.inputShape, Math.floor(i / PLACES), i % PLACES),
  );
  const logits = await askEach(inquiry, BATCH, [picture.input, ...places], picture.target, "logits");
  const [whole, ...hidden] = logits.map((of) => of[picture.target]);
  return hidden.map((v) => whole - v);
}

export const occlusion: Figure = {
  title: "Occlusion",
  source: "Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks, section 4.2",
  images: true,
  async draw(context) {
    const inquiry = await inquire(context, BATCH, (of) => new Map([["logits", of.logits]]));
    try {
      const values: number[] = [];
      for (const picture of context.pictures) values.push(...(await falls(context, inquiry, picture)));
      return attributionDrawing(context, {
        title: this.title,
        caption: "How far the class's logit falls where a square is covered with the mean image.",
        values,
        size: [PLACES, PLACES],
      });
    } finally {
      await inquiry.dispose();
    }
  },
};
