import type { Size } from "../../nn/size.ts";
import { balance, overlay, paint, SIGNED } from "../color.ts";
import type { Panel } from "../drawing.ts";
import type { Picture } from "../figure.ts";
import { type Html, html, table } from "../report/page.ts";
import type { Inside } from "../subject.ts";
import { placeOf, spreadOut, type WindowPlace, type Windows, whereIs } from "../windows.ts";
import { COLORS, marked } from "./parts.ts";
import type { Read, Wanted } from "./read.ts";

/** A place's look around in its window, in one head. */
export interface WindowLook {
  readonly windows: Windows;
  /** Where the place is. */
  readonly at: WindowPlace;
  /** Scores q · k of the place with each token of its window (scaled as the model does), bias of their offsets, mask, shares: [L]. */
  readonly scores: Float32Array;
  readonly bias: Float32Array;
  readonly mask?: Float32Array;
  readonly shares: Float32Array;
  /** The token that it asks most beside itself. */
  readonly key: number;
  /** Bias by offset of the key from the query, [2h - 1, 2w - 1]: the middle is no offset. */
  readonly table: Float32Array;
  /** Rows and columns by which the key lies below and to the right. */
  readonly offset: Size;
}

/** The first head is drawn. */
export const HEAD = 0;

/** Tensors that a look reads, of the attention at a path. `masked`: whether windows may hold places that must not ask each other. */
export const wantedLook = ({ taps }: Inside, name: string, path: string, masked = false): Wanted => ({
  [`${name} scores`]: taps.get(`${path}.scores`),
  [`${name} bias`]: taps.get(`${path}.bias`),
  [`${name} probs`]: taps.get(`${path}.probs`),
  ...(masked && { [`${name} mask`]: taps.get(`${path}.mask`) }),
});

/** The look of a place of the map. */
export function lookOf(seen: Read, name: string, windows: Windows, place: Size, masked = false): WindowLook {
  const at = whereIs(windows, place);
  const length = windows.window[0] * windows.window[1];
  const row = (part: string, index: number): Float32Array => {
    const start = (index * length + at.token) * length;
    return seen.values(`${name} ${part}`).subarray(start, start + length);
  };
  const heads = seen.shape(`${name} probs`)[1];
  const shares = row("probs", at.window * heads + HEAD);
  const bias = seen.values(`${name} bias`);
  const key = mostAsked(windows, at, shares);
  return {
    windows,
    at,
    scores: row("scores", at.window * heads + HEAD),
    bias: row("bias", HEAD),
    mask: masked ? row("mask", at.window) : undefined,
    shares,
    key,
    table: byOffset(bias.subarray(HEAD * length * length, (HEAD + 1) * length * length), windows.window),
    offset: offsetOf(windows, at.token, key),
  };
}

/** The token with the largest share beside the place itself. */
function mostAsked(windows: Windows, { window, token }: WindowPlace, shares: Float32Array): number {
  let best = token === 0 ? 1 : 0;
  shares.forEach((share, i) => {
    if (i !== token && share > shares[best] && placeOf(windows, window, i)) best = i;
  });
  return Math.min(best, shares.length - 1);
}

const offsetOf = ({ window: [, w] }: Windows, query: number, key: number): Size => [
  Math.floor(key / w) - Math.floor(query / w),
  (key % w) - (query % w),
];

/** Biases [L, L] of pairs as the table of offsets of key from query, [2h - 1, 2w - 1]. */
export function byOffset(bias: Float32Array, [h, w]: Size): Float32Array {
  const out = new Float32Array((2 * h - 1) * (2 * w - 1));
  const length = h * w;
  for (let q = 0; q < length; q++)
    for (let k = 0; k < length; k++) {
      const [dy, dx] = [Math.floor(k / w) - Math.floor(q / w), (k % w) - (q % w)];
      out[(dy + h - 1) * (2 * w - 1) + dx + w - 1] = bias[q * length + k];
    }
  return out;
}

/** Shares of the place on the whole map. */
export const sharesOnMap = ({ windows, at, shares }: WindowLook): Float32Array => spreadOut(windows, at.window, shares);

/** The followed place and what it may ask: the borders of windows, its own in amber; of a grid, its members in amber. */
export function windowPanel(title: string, { pixels }: Picture, { windows, at }: WindowLook): Panel {
  const { map, window, kind } = windows;
  const filled = new Map<number, readonly [number, number, number]>();
  const fill = (token: number, color: (typeof COLORS)["followed" | "other"]): void => {
    const place = placeOf(windows, at.window, token);
    if (place) filled.set(place[0] * map[1] + place[1], color);
  };
  if (kind === "grid") for (let token = 0; token < window[0] * window[1]; token++) fill(token, COLORS.other);
  fill(at.token, COLORS.followed);
  const region = (row: number, column: number): number => whereIs(windows, [row, column]).window;
  const borders = kind === "window" ? { region, own: at.window, outline: COLORS.other } : {};
  return { title, image: marked(pixels, { grid: map, filled, ...borders }) };
}

/** The followed place in red and the one that it asks most in amber. */
export function pairPanel(title: string, { pixels }: Picture, { windows, at, key }: WindowLook): Panel {
  const cell = (token: number): number => {
    const [row, column] = placeOf(windows, at.window, token) as Size;
    return row * windows.map[1] + column;
  };
  const filled = new Map<number, readonly [number, number, number]>([
    [cell(key), COLORS.other],
    [cell(at.token), COLORS.followed],
  ]);
  return { title, image: marked(pixels, { grid: windows.map, filled }) };
}

/** Where the place looks. */
export const sharesPanel = (title: string, { pixels }: Picture, look: WindowLook): Panel => ({
  title,
  image: overlay(pixels, sharesOnMap(look), look.windows.map),
});

/** The bias table of the head with the pair's cell framed. */
export function biasPanel(title: string, { windows: { window }, table, offset }: WindowLook): Panel {
  const size = [2 * window[0] - 1, 2 * window[1] - 1] as const;
  const cell = (offset[0] + window[0] - 1) * size[1] + offset[1] + window[1] - 1;
  const region = (row: number, column: number): number => Number(row * size[1] + column === cell);
  const framed = marked(paint(balance(table), size, SIGNED), { grid: size, region, own: 1, outline: COLORS.cell });
  return { title, image: framed, sharp: true };
}

/** Score, bias, their sum and the share of the pair. */
export function pairTable(
  { scores, bias, mask, shares, key, offset }: WindowLook,
  words: { offset: string; bias: string; sum: string; share: string },
): Html {
  const sum = scores[key] + bias[key] + (mask?.[key] ?? 0);
  const cells = [`(${offset.join(", ")})`, ...[scores[key], bias[key], sum, shares[key]].map((v) => v.toFixed(4))];
  return html`${table([words.offset, "q · k", words.bias, words.sum, words.share], [cells], "")}`;
}
