import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import type { Size } from "../nn/size.ts";
import { gridPartition, inWindows } from "../nn/window.ts";
import "../ops/index.ts";
import { countsOf, placeOf, spreadOut, type Windows, whereIs } from "./windows.ts";

/** The place (y, x) holds 1 + y · width + x; padding is 0. */
const numbered = ([height, width]: Size): Tensor =>
  constant(
    Array.from({ length: height * width }, (_, i) => i + 1),
    [1, height, width, 1],
  );

/** What every token of every window holds, by the model's own partition. */
function partitioned({ map, window, kind, shift }: Windows): number[][] {
  let tokens: Tensor | undefined;
  if (kind === "grid") tokens = gridPartition(numbered(map), window);
  else
    inWindows(numbered(map), { window, shift }, (t) => {
      tokens = t;
      return t;
    });
  const [values, length] = [[...evaluate([tokens as Tensor])[0].data], window[0] * window[1]];
  return Array.from({ length: values.length / length }, (_, w) => values.slice(w * length, (w + 1) * length));
}

describe("windows on a map", () => {
  const cases: readonly (readonly [string, Windows])[] = [
    ["neighbours", { map: [6, 9], window: [2, 3], kind: "window", shift: [0, 0] }],
    ["neighbours, shifted", { map: [6, 9], window: [2, 3], kind: "window", shift: [1, 1] }],
    ["padded and shifted", { map: [5, 7], window: [3, 4], kind: "window", shift: [1, 2] }],
    ["a grid", { map: [6, 9], window: [2, 3], kind: "grid", shift: [0, 0] }],
  ];

  it.each(cases)("are those of the model: %s", (_, of) => {
    const counts = countsOf(of);
    const windows = partitioned(of);
    expect(windows).toHaveLength(counts[0] * counts[1]);
    windows.forEach((tokens, window) => {
      tokens.forEach((held, token) => {
        const place = placeOf(of, window, token);
        expect(place ? 1 + place[0] * of.map[1] + place[1] : 0).toBe(held);
        if (place) expect(whereIs(of, place)).toEqual({ window, token });
      });
    });
  });

  it("spread their values over the map and leave the rest 0", () => {
    const of: Windows = { map: [2, 4], window: [2, 2], kind: "grid", shift: [0, 0] };
    expect([...spreadOut(of, 1, [1, 2, 3, 4])]).toEqual([0, 1, 0, 2, 0, 3, 0, 4]);
  });
});
