import type { Size } from "../nn/size.ts";
import { balance, overlay, paint, robust, SIGNED } from "./color.ts";
import type { Drawing } from "./drawing.ts";
import type { FigureContext } from "./figure.ts";

interface Told {
  readonly title: string;
  readonly caption: string;
}

/** Pictures beside themselves with a map of h x w over them; `values` [n, h·w]. */
export function attributionDrawing(
  { pictures, classes }: FigureContext,
  { title, caption, values, size }: Told & { values: ArrayLike<number>; size: Size },
): Drawing {
  const cells = size[0] * size[1];
  const maps = pictures.map((_, i) => Array.from({ length: cells }, (_, k) => values[i * cells + k]));
  return {
    kind: "panels",
    title,
    caption,
    columns: 2,
    width: 224,
    panels: pictures.flatMap(({ pixels, name, target }, i) => [
      { title: name, image: pixels },
      { title: classes[target] ?? `class ${target}`, image: overlay(pixels, maps[i], size) },
    ]),
    data: pictures.map(({ name, target }, i) => ({
      image: name,
      class: classes[target] ?? target,
      size,
      map: maps[i],
    })),
  };
}

/** Pictures beside signed values of their pixels, channels summed: red speaks for the class, blue against it. */
export function pixelDrawing(
  { pictures, classes, model: { inputShape } }: FigureContext,
  { title, caption, values }: Told & { values: readonly Float32Array[] },
): Drawing {
  const [channels, height, width] = inputShape;
  const plane = height * width;
  const sums = values.map((v) =>
    Float32Array.from({ length: plane }, (_, i) =>
      Array.from({ length: channels }, (_, c) => v[c * plane + i]).reduce((a, b) => a + b),
    ),
  );
  return {
    kind: "panels",
    title,
    caption: `${caption} Red speaks for the class, blue against it.`,
    columns: 2,
    width: 224,
    panels: pictures.flatMap(({ pixels, name, target }, i) => [
      { title: name, image: pixels },
      {
        title: classes[target] ?? `class ${target}`,
        image: paint(balance(robust(sums[i])), [height, width], SIGNED),
      },
    ]),
    data: pictures.map(({ name, target }, i) => ({
      image: name,
      class: classes[target] ?? target,
      size: [height, width],
      sum: sums[i].reduce((a, b) => a + b, 0),
      map: [...sums[i]],
    })),
  };
}
