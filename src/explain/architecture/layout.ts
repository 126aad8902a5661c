import { escapeText } from "../drawing.ts";
import type { Element } from "./elements.ts";
import type { Kind } from "./parts.ts";

/** SVG of a size, to be placed in another. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly svg: string;
}

const COLORS: Readonly<Record<Kind, string>> = {
  attention: "#f6d5a8",
  norm: "#e3e3ea",
  linear: "#cfe3f5",
  conv: "#cdebd8",
  activation: "#f3cfd6",
  pool: "#e6dcf2",
  arithmetic: "#ffffff",
  module: "#dfe9f0",
};

const LETTER = 6.6;
const PAD = 12;
const ROW = 22;
const GAP_X = 16;
const GAP_Y = 22;
/** Room between paths that pass by. */
const LANE = 12;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const widthOf = ({ label, detail = "" }: Pick<Element, "label" | "detail">): number =>
  label.length <= 2 ? 26 : Math.max(label.length * LETTER + 4, detail.length * LETTER * 0.86) + 2 * PAD;
const heightOf = ({ label, detail }: Pick<Element, "label" | "detail">): number =>
  label.length <= 2 ? 26 : detail ? ROW + 16 : ROW + 4;

/** A box with its name. */
export function boxSvg(
  { x, y, width, height }: Box,
  { label, detail, kind }: Pick<Element, "label" | "detail" | "kind">,
): string {
  const round = label.length <= 2 ? height / 2 : 5;
  const middle = x + width / 2;
  const line = (text: string, at: number, size: number, weight = 500) =>
    `<text x="${middle}" y="${at}" font-size="${size}" font-weight="${weight}" text-anchor="middle">${escapeText(text)}</text>`;
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${round}" fill="${COLORS[kind]}" stroke="#555"/>`,
    line(label, detail ? y + 16 : y + height / 2 + 4, 12),
    ...(detail ? [line(detail, y + 31, 10, 400)] : []),
  ].join("");
}

const ARROW = 'fill="none" stroke="#555" marker-end="url(#arrow)"';

/** Straight down. */
export const arrowSvg = (x: number, from: number, to: number): string => `<path d="M${x} ${from}V${to - 2}" ${ARROW}/>`;

/** How many boxes lie on the longest way from the entrance. */
function ranksOf(elements: readonly Element[]): number[] {
  const ranks: number[] = [];
  for (const { from } of elements) ranks.push(1 + Math.max(0, ...from.map((f) => (f < 0 ? 0 : ranks[f]))));
  return ranks;
}

/** A module's boxes from top to bottom; a path that passes boxes by runs on the right, as residuals are drawn. */
export function layout(elements: readonly Element[]): Placed {
  const entry: Pick<Element, "label" | "detail" | "kind"> = { label: "input", kind: "arithmetic" };
  const all = [entry, ...elements];
  const ranks = [0, ...ranksOf(elements)];
  const rows = Array.from({ length: Math.max(...ranks) + 1 }, (_, r) =>
    all.map((_, i) => i).filter((i) => ranks[i] === r),
  );
  const rowWidth = (row: readonly number[]) => row.reduce((w, i) => w + widthOf(all[i]), 0) + GAP_X * (row.length - 1);
  const body = Math.max(...rows.map(rowWidth));
  const boxes: Box[] = [];
  let y = 0;
  for (const row of rows) {
    let x = (body - rowWidth(row)) / 2;
    const height = Math.max(...row.map((i) => heightOf(all[i])));
    for (const i of row) {
      boxes[i] = { x, y: y + (height - heightOf(all[i])) / 2, width: widthOf(all[i]), height: heightOf(all[i]) };
      x += boxes[i].width + GAP_X;
    }
    y += height + GAP_Y;
  }
  let lanes = 0;
  const paths = elements.flatMap(({ from }, e) =>
    from.map((f) => {
      const [a, b] = [boxes[f + 1], boxes[e + 1]];
      if (ranks[e + 1] - ranks[f + 1] === 1) return downSvg(a, b);
      const last = rows[ranks[f + 1]].at(-1) === f + 1;
      return aroundSvg(a, b, { lane: body + LANE * ++lanes, below: !last });
    }),
  );
  const svg = [...paths, ...all.map((e, i) => boxSvg(boxes[i], e))].join("\n");
  return { width: body + LANE * (lanes + 1), height: y - GAP_Y, svg };
}

function downSvg(a: Box, b: Box): string {
  const [x1, x2] = [a.x + a.width / 2, b.x + b.width / 2];
  const [y1, y2] = [a.y + a.height, b.y - 2];
  const middle = (y1 + y2) / 2;
  return `<path d="M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}" ${ARROW}/>`;
}

/** Down the lane beside all boxes, and in from the right; out on the right, or below where others stand beside. */
function aroundSvg(a: Box, b: Box, { lane, below }: { lane: number; below: boolean }): string {
  const y1 = below ? a.y + a.height + GAP_Y / 3 : a.y + a.height / 2;
  const start = below ? `M${a.x + a.width / 2} ${a.y + a.height}V${y1}` : `M${a.x + a.width} ${y1}`;
  const y2 = b.y + b.height / 2;
  const r = 8;
  const turn = `H${lane - r}Q${lane} ${y1} ${lane} ${y1 + r}V${y2 - r}Q${lane} ${y2} ${lane - r} ${y2}`;
  return `<path d="${start}${turn}H${b.x + b.width + 2}" ${ARROW}/>`;
}
