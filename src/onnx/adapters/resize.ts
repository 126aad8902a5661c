import { constant, type Tensor } from "../../graph/tensor.ts";
import { type Call, Refusal } from "../call.ts";

/** How an output coordinate falls on the input: opset 11's coordinate_transformation_mode. */
const COORDINATES: Readonly<Record<string, (o: number, scale: number, from: number, to: number) => number>> = {
  half_pixel: (o, scale) => (o + 0.5) / scale - 0.5,
  pytorch_half_pixel: (o, scale, _from, to) => (to > 1 ? (o + 0.5) / scale - 0.5 : 0),
  asymmetric: (o, scale) => o / scale,
  align_corners: (o, _scale, from, to) => (to > 1 ? (o * (from - 1)) / (to - 1) : 0),
  half_pixel_symmetric: (o, scale, from, to) => (from / 2) * (1 - to / (scale * from)) + ((o + 0.5) / scale - 0.5), // the centres of both images meet
};

const ROUND: Readonly<Record<string, (v: number) => number>> = {
  round_prefer_floor: (v) => Math.ceil(v - 0.5),
  round_prefer_ceil: (v) => Math.floor(v + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Keys' kernel with coefficient a. */
function cubic(t: number, a: number): number {
  const d = Math.abs(t);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

interface Axis {
  readonly from: number;
  readonly to: number;
  /** Input coordinate of each output. */
  readonly at: readonly number[];
}

const clamp = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1);

/** Resize and Upsample, which are linear along each axis: a gather, or a product with a matrix of interpolation weights. */
export function resize(c: Call): Tensor {
  const x = c.in(0);
  const mode = c.string("mode", "nearest");
  if (c.int("antialias", 0) || c.int("exclude_outside", 0))
    throw new Refusal("Resize with antialias or exclude_outside");
  return axesOf(c).reduce((t, { axis, ...along }) => {
    if (along.from === along.to && along.at.every((v, i) => v === i)) return t;
    return mode === "nearest" ? nearest(c, t, axis, along) : interpolated(c, t, axis, along, mode);
  }, x);
}

function axesOf(c: Call): (Axis & { axis: number })[] {
  const x = c.in(0);
  const upsample = c.op === "Upsample" || c.opset < 11;
  const listed = c.ints("axes") ?? x.shape.map((_, i) => i);
  const scales = upsample ? (c.values(1) ?? c.floats("scales")) : c.values(2);
  const sizes = upsample ? undefined : c.values(3);
  if (c.string("keep_aspect_ratio_policy", "stretch") !== "stretch")
    throw new Refusal("Resize that keeps the aspect ratio");
  const name = c.string("coordinate_transformation_mode", upsample ? "asymmetric" : "half_pixel");
  const coordinate = COORDINATES[name];
  if (!coordinate) throw new Refusal(`Resize with coordinates ${JSON.stringify(name)}`);
  return listed.flatMap((axis, i) => {
    const from = x.shape[axis];
    if (from < 0 || (sizes?.length ? sizes[i] === from : scales?.[i] === 1)) return [];
    const to = sizes?.length ? sizes[i] : Math.floor(from * (scales?.[i] ?? Number.NaN));
    if (!(to >= 1 && to <= 2 ** 14 && to * from <= 2 ** 22)) throw new Refusal(`Resize from ${from} to ${to}`);
    const scale = sizes?.length ? to / from : (scales?.[i] as number);
    return [{ axis, from, to, at: Array.from({ length: to }, (_, o) => coordinate(o, scale, from, to)) }];
  });
}

function nearest(c: Call, x: Tensor, axis: number, { from, at }: Axis): Tensor {
  const old = c.op === "Upsample" || c.opset < 11;
  const round = ROUND[c.string("nearest_mode", old ? "floor" : "round_prefer_floor")];
  if (!round) throw new Refusal("Resize with an unknown rounding");
  const places = at.map((v) => clamp(round(v), from));
  return x.gather(constant(places, [places.length], "int64"), axis);
}

function interpolated(c: Call, x: Tensor, axis: number, { from, to, at }: Axis, mode: string): Tensor {
  if (mode !== "linear" && mode !== "cubic") throw new Refusal(`Resize of kind ${JSON.stringify(mode)}`);
  const a = c.float("cubic_coeff_a", -0.75);
  const weights = new Float64Array(from * to); // [from, to]
  at.forEach((v, o) => {
    const taps = mode === "linear" ? [0, 1] : [-1, 0, 1, 2];
    const place = mode === "linear" ? clamp(v, from) : v;
    const base = Math.floor(place);
    for (const tap of taps) {
      const d = place - (base + tap);
      weights[clamp(base + tap, from) * to + o] += mode === "linear" ? Math.max(0, 1 - Math.abs(d)) : cubic(d, a);
    }
  });
  const last = [...x.shape.keys()].filter((i) => i !== axis);
  const perm = [...last, axis];
  const y = x.transpose(perm).matmul(constant(weights, [from, to]));
  return y.transpose(perm.map((_, i) => perm.indexOf(i)));
}
