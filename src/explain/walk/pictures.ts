import type { PixelImage } from "../../data/image.ts";
import type { Size } from "../../nn/size.ts";
import { AMOUNT, balance, overlay, paint, SIGNED, stretch } from "../color.ts";
import type { Panel, PanelDrawing } from "../drawing.ts";
import type { Picture } from "../figure.ts";
import type { Observation } from "./observe.ts";
import type { Words } from "./text.ts";

const panels = (title: string, list: readonly Panel[], width: number, columns = list.length): PanelDrawing => ({
  kind: "panels",
  title,
  caption: title,
  columns,
  panels: list,
  width,
  data: undefined,
});

/** Values of a strip's row. */
const ROW = 64;

/** A vector as a strip, blue below 0 and red above: rows of 64 values, or one row that is high enough to see. */
function strip(values: Float32Array, columns = ROW): PixelImage {
  const rows = Math.ceil(values.length / columns);
  const high = rows === 1 ? 4 : 1;
  const shown = balance(values);
  const cells = Float32Array.from({ length: rows * high * columns }, (_, i) => {
    const at = Math.floor(i / (columns * high)) * columns + (i % columns);
    return shown[at] ?? 0.5;
  });
  return paint(cells, [rows * high, columns], SIGNED);
}

/** The pixels of a patch, and where it begins. */
function cut({ width, data }: PixelImage, { grid, patch, patchSize: [h, w] }: Observation): PixelImage {
  const [top, left] = [Math.floor(patch / grid[1]) * h, (patch % grid[1]) * w];
  const out = new Uint8Array(3 * h * w);
  for (let y = 0; y < h; y++) {
    const start = 3 * ((top + y) * width + left);
    out.set(data.subarray(start, start + 3 * w), 3 * y * w);
  }
  return { width: w, height: h, data: out };
}

/** One colour of a picture, the others black. */
const plane = ({ width, height, data }: PixelImage, c: number): PixelImage => ({
  width,
  height,
  data: data.map((v, i) => (i % 3 === c ? v : 0)),
});

/** The image with lines between its patches, the followed one framed. */
function gridded({ pixels }: Picture, { grid, patch, patchSize: [h, w] }: Observation): PixelImage {
  const scale = Math.max(1, Math.round(336 / pixels.width));
  const [width, height] = [pixels.width * scale, pixels.height * scale];
  const data = new Uint8Array(3 * width * height);
  const [row, column] = [Math.floor(patch / grid[1]), patch % grid[1]];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      const from = 3 * (Math.floor(y / scale) * pixels.width + Math.floor(x / scale));
      const [py, px] = [y / (h * scale), x / (w * scale)];
      const own = Math.floor(py) === row && Math.floor(px) === column;
      const edge = own
        ? Math.min(py % 1, px % 1, 1 - (py % 1), 1 - (px % 1)) * h * scale < 3
        : y % (h * scale) === 0 || x % (w * scale) === 0;
      data.set(edge ? (own ? [230, 30, 30] : [255, 255, 255]) : pixels.data.subarray(from, from + 3), at);
    }
  return { width, height, data };
}

/** Cosine of the followed patch's place with all places. */
function placeMap({ positions, dim, grid, patch }: Observation): Float32Array {
  const row = (i: number) => positions.subarray(i * dim, (i + 1) * dim);
  const own = row(patch);
  return Float32Array.from({ length: grid[0] * grid[1] }, (_, i) => {
    const other = row(i);
    const dot = own.reduce((sum, v, k) => sum + v * other[k], 0);
    return dot / (Math.hypot(...own) * Math.hypot(...other) || 1);
  });
}

/** softmax(x) in doubles. */
export function softmax(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const most = Math.max(...list);
  const powers = list.map((v) => Math.exp(v - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** q · k of the followed patch with every token, in the first head. */
export function scoresOf({ q, k }: Pick<Observation, "q" | "k">): number[] {
  const d = q.length;
  return Array.from({ length: k.length / d }, (_, i) => q.reduce((sum, v, c) => sum + v * k[i * d + c], 0));
}

/** Σ shares · values, [d]. */
export function weightedSum(shares: readonly number[], v: Float32Array): Float32Array {
  const d = v.length / shares.length;
  return Float32Array.from({ length: d }, (_, c) => shares.reduce((sum, s, i) => sum + s * v[i * d + c], 0));
}

/** A share for each patch as a map over the image; tokens without a place are left out. */
const shareMap = (picture: Picture, shares: ArrayLike<number>, { prefix }: Observation, grid: Size): PixelImage =>
  overlay(picture.pixels, Array.from(shares).slice(prefix), grid);

/** What the class token (or all patches together) attends to in a layer, heads averaged. */
function askedBy({ attention, heads, prefix }: Observation, layer: number): number[] {
  const probs = attention[layer];
  const length = Math.sqrt(probs.length / heads);
  const rows = prefix > 0 ? [0] : Array.from({ length }, (_, i) => i);
  return Array.from({ length }, (_, c) => {
    let sum = 0;
    for (let h = 0; h < heads; h++) for (const r of rows) sum += probs[(h * length + r) * length + c];
    return sum / (heads * rows.length);
  });
}

/** Most layers drawn. */
const MOST_LAYERS = 12;

/** The drawing of each step that has one. */
export function drawings(
  picture: Picture,
  o: Observation,
  { labels: w, steps }: Words,
): Readonly<Record<string, PanelDrawing>> {
  const patch = cut(picture.pixels, o);
  const scores = scoresOf(o);
  const shares = softmax(scores.map((s) => s / Math.sqrt(o.q.length)));
  const every = Math.ceil(o.layers.length / MOST_LAYERS);
  const layers = o.layers.map((_, i) => i).filter((i) => i % every === 0 || i === o.layers.length - 1);
  const at = (o.prefix + o.patch) * o.dim;
  const entered = o.tokens.subarray(at, at + o.dim);
  return {
    image: panels(steps.image.title, [{ image: picture.pixels, sharp: picture.pixels.width < 100 }], 224),
    patches: panels(steps.patches.title, [{ image: gridded(picture, o) }], 336),
    flatten: panels(
      steps.flatten.title,
      [
        { image: patch, sharp: true },
        ...[w.red, w.green, w.blue].map((title, c) => ({ title, image: plane(patch, c), sharp: true })),
      ],
      112,
    ),
    project: panels(steps.project.title, [{ title: `D = ${o.dim}`, image: strip(o.projected), sharp: true }], 480),
    position: panels(
      steps.position.title,
      [
        { title: w.position, image: strip(o.positions.subarray(o.patch * o.dim, (o.patch + 1) * o.dim)), sharp: true },
        { title: w.token, image: strip(entered), sharp: true },
        { title: "cos", image: paint(stretch(placeMap(o)), o.grid, AMOUNT), sharp: true },
      ],
      224,
    ),
    qkv: panels(
      steps.qkv.title,
      [o.q, o.k.subarray((o.prefix + o.patch) * o.q.length), o.v.subarray((o.prefix + o.patch) * o.q.length)].map(
        (values, i) => ({
          title: "QKV"[i],
          image: strip(values.subarray(0, o.q.length)),
          sharp: true,
        }),
      ),
      224,
    ),
    scores: panels(
      steps.scores.title,
      [
        { title: w.divided, image: shareMap(picture, shares, o, o.grid) },
        { title: w.undivided, image: shareMap(picture, softmax(scores), o, o.grid) },
      ],
      224,
    ),
    values: panels(
      steps.values.title,
      [{ title: `d = ${o.q.length}`, image: strip(weightedSum(shares, o.v)), sharp: true }],
      336,
    ),
    heads: panels(
      steps.heads.title,
      [
        { title: w.before, image: strip(entered), sharp: true },
        { title: "+", image: strip(o.attended), sharp: true },
      ],
      336,
    ),
    mlp: panels(
      steps.mlp.title,
      [
        { title: "+", image: strip(o.mixed), sharp: true },
        { title: w.after, image: strip(o.layers[0]), sharp: true },
      ],
      336,
    ),
    layers: panels(
      steps.layers.title,
      layers.flatMap((i) => [
        { title: `${w.layer} ${i + 1}`, image: strip(o.layers[i], 32), sharp: true },
        { title: o.prefix > 0 ? w.classToken : w.all, image: shareMap(picture, askedBy(o, i), o, o.grid) },
      ]),
      112,
      8,
    ),
  };
}
