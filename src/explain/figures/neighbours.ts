import type { Panel } from "../drawing.ts";
import { dot, unitFeatures } from "../features.ts";
import { evenly, type Figure, lacks, type Picture } from "../figure.ts";

/** Images that are asked about, and neighbours of each. */
const ASKED = 8;
const NEAREST = 6;

/** The `count` rows with the largest cosine to row i, itself left out; equals in their order. */
export function nearest(
  rows: readonly ArrayLike<number>[],
  i: number,
  count: number,
): { at: number; cosine: number }[] {
  return rows
    .map((row, at) => ({ at, cosine: dot(rows[i], row) }))
    .filter(({ at }) => at !== i)
    .sort((a, b) => b.cosine - a.cosine || a.at - b.at)
    .slice(0, count);
}

export const neighbours: Figure = {
  title: "Nearest neighbours",
  source: "Cosine of pooled features, as in DINO's k-NN evaluation (Caron et al. 2021)",
  images: true,
  set: true,
  most: 512,
  async draw(context) {
    const { pictures, classes } = context;
    if (pictures.length < 2) throw lacks(context.model, "no neighbours of one image: it takes two or more");
    const rows = await unitFeatures(context, pictures);
    const nameOf = ({ label, target }: Picture): string => classes[label ?? target] ?? String(label ?? target);
    const found = evenly([...pictures.keys()], ASKED).map((i) => ({ i, near: nearest(rows, i, NEAREST) }));
    const panel = (title: string, { pixels }: Picture): Panel => ({ title, image: pixels, sharp: pixels.width < 64 });
    const agreeing = found.flatMap(({ i, near }) => near.map((n) => nameOf(pictures[n.at]) === nameOf(pictures[i])));
    const share = agreeing.filter(Boolean).length / agreeing.length;
    return {
      kind: "panels",
      title: this.title,
      caption: `At the left of each row an image, then those of ${pictures.length - 1} others that the model finds most like it, with the cosine of their features; ${(100 * share).toFixed(0)} % are of its class.`,
      columns: 1 + Math.min(NEAREST, pictures.length - 1),
      width: 104,
      panels: found.flatMap(({ i, near }) => [
        panel(nameOf(pictures[i]), pictures[i]),
        ...near.map((n) => panel(`${n.cosine.toFixed(2)} ${nameOf(pictures[n.at])}`, pictures[n.at])),
      ]),
      data: found.map(({ i, near }) => ({
        image: pictures[i].name,
        class: nameOf(pictures[i]),
        nearest: near.map(({ at, cosine }) => ({ image: pictures[at].name, class: nameOf(pictures[at]), cosine })),
      })),
    };
  },
};
