import { groupColors } from "../color.ts";
import { principalPlaces, umapPlaces, unitFeatures } from "../features.ts";
import { type Figure, lacks } from "../figure.ts";

/** Fewest images that have a plane. */
const LEAST = 4;

export const embeddingMap: Figure = {
  title: "Map of embeddings",
  source:
    "McInnes et al. 2018, UMAP: Uniform Manifold Approximation and Projection; Pearson 1901 (principal components)",
  images: true,
  set: true,
  most: 512,
  async draw(context) {
    const { pictures, classes, seed } = context;
    if (pictures.length < LEAST)
      throw lacks(context.model, `no map of ${pictures.length} images: it takes ${LEAST} or more`);
    const rows = await unitFeatures(context, pictures);
    const principal = principalPlaces(rows);
    const umap = umapPlaces(rows, seed);
    const of = pictures.map(({ label, target }) => label ?? target);
    const shown = [...new Set(of)].sort((a, b) => a - b);
    const colors = groupColors(shown.length);
    const [first, second] = principal.explained.map((part) => `${(100 * part).toFixed(0)} %`);
    const known = pictures.every((p) => p.label !== undefined);
    return {
      kind: "map",
      title: this.title,
      caption: `${pictures.length} images where the model's features, of length 1, place them: alike lies near. Left, the two principal components (${first} and ${second} of the variance); right, UMAP, in which only near and far among neighbours mean anything. Frames are coloured by ${known ? "their class" : "the model's answer"}.`,
      arrangements: [
        { title: `principal components (${first}, ${second})`, places: principal.places },
        { title: "UMAP", places: umap },
      ],
      images: pictures.map(({ name, pixels }, i) => ({ name, image: pixels, group: shown.indexOf(of[i]) })),
      groups: shown.map((k, i) => ({ name: classes[k] ?? String(k), color: colors[i] })),
      data: {
        explained: principal.explained,
        images: pictures.map(({ name }, i) => ({
          image: name,
          class: classes[of[i]] ?? of[i],
          components: principal.places[i],
          umap: umap[i],
        })),
      },
    };
  },
};
