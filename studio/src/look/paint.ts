import { interpolateInferno } from "d3-scale-chromatic";
import type { RgbImage } from "../../../src/data/image.ts";
import { balance, HEAT, robust, SIGNED, stretch } from "../../../src/explain/color.ts";
import type { Size } from "../../../src/nn/size.ts";
import type { Point } from "./attention.ts";

/** What lies over an image. */
export interface Overlay {
  readonly size: Size;
  readonly values: Float32Array;
  /** patches: weights on cells, drawn as tiles; evidence: a smooth map; signed evidence: blue against, red for. */
  readonly kind: "patches" | "evidence" | "signed";
}

/** RGB in 256 steps. */
const GLOW = Uint8Array.from(
  Array.from({ length: 256 }, (_, i) => {
    const color = interpolateInferno(i / 255);
    return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  }).flat(),
);

/** A canvas of one pixel a value. */
function canvasOf([rows, columns]: Size, pixel: (i: number) => readonly [r: number, g: number, b: number, a: number]) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const data = new Uint8ClampedArray(4 * rows * columns);
  for (let i = 0; i < rows * columns; i++) data.set(pixel(i), 4 * i);
  canvas.getContext("2d")?.putImageData(new ImageData(data, columns, rows), 0, 0);
  return canvas;
}

const colorAt = (scale: Uint8Array, v: number): readonly [number, number, number] => {
  const i = 3 * Math.round(255 * Math.max(0, Math.min(1, v)));
  return [scale[i], scale[i + 1], scale[i + 2]];
};

export const imageCanvas = ({ width, height, data }: RgbImage): HTMLCanvasElement =>
  canvasOf([height, width], (i) => [data[3 * i], data[3 * i + 1], data[3 * i + 2], 255]);

/** Shares of the image that an overlay covers where its value is least and where it is most. */
const COVER = { evidence: [0.2, 0.6], signed: [0.1, 0.8] } as const;

/** Over patches: night where little weight lies, light where much does; in the middle the image as it is. */
const [NIGHT, LIGHT] = [
  [8, 8, 22, 0.82],
  [255, 226, 140, 0.42],
] as const;

function patchPixel(v: number): readonly [number, number, number, number] {
  const [r, g, b, most] = v < 0.5 ? NIGHT : LIGHT;
  return [r, g, b, 255 * most * Math.abs(2 * v - 1)];
}

function overlayCanvas({ size, values, kind }: Overlay): HTMLCanvasElement {
  if (kind === "patches") {
    const shown = stretch(values);
    return canvasOf(size, (i) => patchPixel(shown[i]));
  }
  const [least, most] = COVER[kind];
  const shown = kind === "signed" ? balance(robust(values)) : stretch(robust(values));
  const scale = kind === "signed" ? SIGNED : HEAT;
  const strength = (v: number) => (kind === "signed" ? 2 * Math.abs(v - 0.5) : v);
  return canvasOf(size, (i) => [...colorAt(scale, shown[i]), 255 * (least + (most - least) * strength(shown[i]))]);
}

/** A map alone, a pixel a cell: for the small pictures of heads. */
export const mapCanvas = (values: Float32Array, size: Size): HTMLCanvasElement => {
  const shown = stretch(values);
  return canvasOf(size, (i) => [...colorAt(GLOW, shown[i]), 255]);
};

/** Puts one canvas over the whole of another. */
export function fill(target: HTMLCanvasElement, source: HTMLCanvasElement, smooth: boolean): void {
  const context = target.getContext("2d") as CanvasRenderingContext2D;
  context.imageSmoothingEnabled = smooth;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, target.width, target.height);
}

/** Frames the cell of a grid that a point lies in. */
function frame(target: HTMLCanvasElement, [rows, columns]: Size, { x, y }: Point): void {
  const context = target.getContext("2d") as CanvasRenderingContext2D;
  const [w, h] = [target.width / columns, target.height / rows];
  const [left, top] = [
    Math.min(columns - 1, Math.floor(x * columns)) * w,
    Math.min(rows - 1, Math.floor(y * rows)) * h,
  ];
  const width = Math.max(3, target.width / 180);
  for (const [color, line] of [
    ["#000a", 2 * width],
    ["#fff", width],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.strokeRect(left + 1, top + 1, w - 2, h - 2);
  }
}

/** Enlarged so much, pixels are shown as they are. */
const PIXELS_SEEN = 3;

/** Draws an image as the model sees it, what lies over it, and the patch that is asked. */
export function paintPicture(
  target: HTMLCanvasElement,
  seen: HTMLCanvasElement,
  overlay: Overlay | undefined,
  asked: { readonly grid: Size; readonly at: Point } | undefined,
): void {
  fill(target, seen, target.width < PIXELS_SEEN * seen.width);
  if (overlay) fill(target, overlayCanvas(overlay), overlay.kind !== "patches");
  if (asked) frame(target, asked.grid, asked.at);
}
