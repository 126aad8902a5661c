import type { Size } from "../nn/size.ts";

/** How a map is cut into windows that attend within themselves (Swin, figure 2; MaxViT, figure 3). */
export interface Windows {
  /** Of the map, without padding. */
  readonly map: Size;
  readonly window: Size;
  /** Neighbours; or places that lie as far apart as there are windows. */
  readonly kind: "window" | "grid";
  /** Of the windows, down and to the right. */
  readonly shift: Size;
}

export type WindowKind = "window" | "shifted window" | "grid";

/** Kind of a window by the names that Swin's and MaxViT's modules have. */
export function windowKind(path: string, count: number): WindowKind {
  if (path.includes("attn_grid")) return "grid";
  const block = /blocks\.(\d+)\.attn$/.exec(path);
  return block && Number(block[1]) % 2 === 1 && count > 1 ? "shifted window" : "window";
}

/** `count` x `count` windows of `side` x `side`. */
export function squareWindows({ side, count, kind }: { side: number; count: number; kind: WindowKind }): Windows {
  const [size, shift] = [side * count, kind === "shifted window" ? side >> 1 : 0];
  return {
    ...{ map: [size, size], window: [side, side], shift: [shift, shift] },
    kind: kind === "grid" ? "grid" : "window",
  };
}

/** Windows along each axis. */
export const countsOf = ({ map, window }: Windows): Size => [
  Math.ceil(map[0] / window[0]),
  Math.ceil(map[1] / window[1]),
];

/** Row and column on the map of a token of a window; undefined where it is padding. */
export function placeOf(of: Windows, window: number, token: number): Size | undefined {
  const counts = countsOf(of);
  const along = (i: 0 | 1): number => {
    const [w, t] =
      i === 0
        ? [Math.floor(window / counts[1]), Math.floor(token / of.window[1])]
        : [window % counts[1], token % of.window[1]];
    if (of.kind === "grid") return t * counts[i] + w;
    const rolled = w * of.window[i] + t;
    return rolled < of.map[i] ? (rolled + of.shift[i]) % of.map[i] : -1;
  };
  const place = [along(0), along(1)] as const;
  return place[0] < 0 || place[1] < 0 ? undefined : place;
}

export interface WindowPlace {
  readonly window: number;
  readonly token: number;
}

/** The window and token of a place of the map. */
export function whereIs(of: Windows, [row, column]: Size): WindowPlace {
  const counts = countsOf(of);
  const along = (i: 0 | 1, at: number): readonly [window: number, token: number] => {
    if (of.kind === "grid") return [at % counts[i], Math.floor(at / counts[i])];
    const rolled = (at - of.shift[i] + of.map[i]) % of.map[i];
    return [Math.floor(rolled / of.window[i]), rolled % of.window[i]];
  };
  const [y, x] = [along(0, row), along(1, column)];
  return { window: y[0] * counts[1] + x[0], token: y[1] * of.window[1] + x[1] };
}

/** Values of a window's tokens on the whole map [H · W]: 0 elsewhere. */
export function spreadOut(of: Windows, window: number, values: ArrayLike<number>): Float32Array {
  const map = new Float32Array(of.map[0] * of.map[1]);
  for (let token = 0; token < values.length; token++) {
    const place = placeOf(of, window, token);
    if (place) map[place[0] * of.map[1] + place[1]] = values[token];
  }
  return map;
}
