import { TesseraeError } from "../../errors.ts";
import { apply, applyAll, concat, constant, type Tensor } from "../../graph/tensor.ts";
import { normalizeAxis, type Shape, sizeOf, stridesOf } from "../../graph/types.ts";
import { ROW, reshaped, toSize, toValue } from "../batch.ts";
import { type Adapters, type Call, isConstant, Refusal, withinSamples } from "../call.ts";
import { resize } from "./resize.ts";

const axes = (t: Tensor): number[] => [...t.shape.keys()];

function reshape(c: Call): Tensor {
  const x = c.in(0);
  const target = c.values(1) ?? [];
  return x.reshape(reshaped(x.shape, target, { hard: c.hard, allowZero: c.int("allowzero", 0) === 1 }));
}

function flatten(c: Call): Tensor {
  const x = c.in(0);
  const at = c.int("axis", 1);
  const axis = at < 0 ? at + x.rank : at;
  return x.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
}

/** Axes of one element dropped; the batch is never one, even where the file was written for a single image. */
function squeeze(c: Call): Tensor {
  const x = c.in(0);
  const given = c.list(1, "axes")?.map((a) => normalizeAxis(a, x.rank));
  const drop = given ?? axes(x).filter((i) => x.shape[i] === 1);
  const held = drop.filter((i) => x.shape[i] < 0);
  if (held.length && !(c.hard === 1)) throw new Refusal("Squeeze of the batch");
  if (drop.some((i) => x.shape[i] > 1 || x.shape[i] === 0))
    throw new TesseraeError("shape", `cannot squeeze axes [${drop}] of [${x.shape}]`);
  return x.reshape(x.shape.filter((d, i) => d < 0 || !drop.includes(i)));
}

function unsqueeze(c: Call): Tensor {
  const x = c.in(0);
  const list = c.list(1, "axes") ?? [];
  const at = new Set(list.map((a) => normalizeAxis(a, x.rank + list.length)));
  const rest = [...x.shape];
  return x.reshape(Array.from({ length: x.rank + at.size }, (_, i) => (at.has(i) ? 1 : (rest.shift() as number))));
}

/** Two transpositions in a row are one, or none. */
function transpose(c: Call): Tensor {
  const x = c.in(0);
  const perm = c.ints("perm") ?? axes(x).reverse();
  const inner = x.node.op === "Transpose" ? (x.node.attrs.perm as readonly number[]) : undefined;
  if (!inner || perm.length !== inner.length) return apply("Transpose", [x], { perm });
  return (x.node.inputs[0] as Tensor).transpose(perm.map((p) => inner[p]));
}

/** A part that every image shares: one row, expanded to the batch. */
function shared(t: Tensor): Tensor | undefined {
  const source = t.node.op === "Expand" ? (t.node.inputs[0] as Tensor) : t;
  return t.shape[0] < 0 && source.rank === t.rank && source.shape[0] === 1
    ? source.expand([1, ...t.shape.slice(1)])
    : undefined;
}

/**
 * Joins. Tokens that are the same for every image (class token, registers) are added to zeros beside the others, so that
 * nothing is expanded to a batch of unknown size: [c, x] = pad(x) + [c, 0].
 */
function join(c: Call): Tensor {
  const parts = matched(
    c,
    c.x.filter((t) => t !== undefined),
  );
  const axis = normalizeAxis(c.int("axis", 0), parts[0].rank);
  if (parts.length === 1) return parts[0];
  withinSamples(parts[0].shape, parts[0].shape[0] < 0 ? [axis] : [], "Concat");
  const same = parts.map((t) => (t.dtype === "float32" && axis > 0 ? shared(t) : undefined));
  const [first, last] = [same.indexOf(undefined), same.lastIndexOf(undefined)];
  const middle = parts.slice(first, last + 1);
  if (first < 0 || middle.length === parts.length || same.slice(first, last + 1).some(Boolean))
    return concat(parts, axis);
  const own = concat(middle, axis);
  const width = (list: readonly Tensor[]): number => list.reduce((s, t) => s + t.shape[axis], 0);
  const [before, after] = [parts.slice(0, first), parts.slice(last + 1)];
  const zeros = constant(0, [], "float32").expand([1, ...own.shape.slice(1)]);
  const beside = concat([...same.slice(0, first), zeros, ...same.slice(last + 1)] as Tensor[], axis);
  return own.pad(own.shape.map((_, i) => (i === axis ? [width(before), width(after)] : [0, 0]))).add(beside);
}

/** In a file written for one image, a part of size 1 stands for every image beside parts that are the batch's. */
function matched(c: Call, parts: readonly Tensor[]): readonly Tensor[] {
  if (c.hard !== 1 || !parts.some((t) => t.shape[0] < 0)) return parts;
  return parts.map((t) => (t.shape[0] === 1 ? t.expand([-1, ...t.shape.slice(1)]) : t));
}

function split(c: Call): readonly Tensor[] {
  const x = c.in(0);
  const axis = normalizeAxis(c.int("axis", 0), x.rank);
  withinSamples(x.shape, [axis], "Split");
  const parts = c.int("num_outputs", c.outputs);
  const size = Math.ceil(x.shape[axis] / parts);
  const equal = Array.from({ length: parts }, (_, i) => Math.min(size, x.shape[axis] - i * size));
  const sizes = c.list(1, "split") ?? equal;
  return sizes.length === 1 ? [x] : applyAll("Split", [x], { axis, split: sizes });
}

function slice(c: Call): Tensor {
  const x = c.in(0);
  const starts = c.list(1, "starts") ?? [];
  const ends = c.list(2, "ends") ?? [];
  const at = (c.list(3, "axes") ?? starts.map((_, i) => i)).map((a) => normalizeAxis(a, x.rank));
  const steps = c.values(4) ?? starts.map(() => 1);
  return at.reduce((t, axis, i) => sliced(t, axis, starts[i], ends[i], steps[i], c.hard), x);
}

/** `hard` is the batch that the file was written for: a slice of so many images is all of them. */
function sliced(x: Tensor, axis: number, start: number, end: number, step: number, hard?: number): Tensor {
  const size = x.shape[axis];
  const whole = size < 0 ? (hard === undefined ? toValue(size) : -size * hard) : size;
  if (step === 1 && start === 0 && end >= whole) return x;
  withinSamples(x.shape, [axis], "Slice");
  if (step === 0) throw new TesseraeError("weights", "Slice by steps of 0");
  const at = (v: number): number => Math.max(v < 0 ? v + size : v, 0);
  const bounded = step > 0 ? [Math.min(at(start), size), Math.min(at(end), size)] : [start, end];
  return x.slice(axis, bounded[0], bounded[1], step);
}

/** One entry is a slice, which passes know how to narrow; several are a gather. */
function gather(c: Call): Tensor {
  const [x, indices] = [c.in(0), c.in(1)];
  const axis = normalizeAxis(c.int("axis", 0), x.rank);
  const own = axis === 0 && x.shape[0] < -1 && isConstant(indices) ? withinRows(c, x, indices) : undefined;
  if (own) return own;
  withinSamples(x.shape, [axis], "Gather");
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  if (!isConstant(indices) || isConstant(x)) return x.gather(indices, axis);
  const values = [...(c.values(1) as number[])].map((v) => (v < 0 ? v + x.shape[axis] : v));
  if (values.some((v) => !(v >= 0 && v < x.shape[axis])))
    throw new TesseraeError("shape", `Gather of [${values.slice(0, 8)}] from ${x.shape[axis]} entries`);
  const run = values.every((v, i) => v === values[0] + i);
  if (run && values.length > 0) return x.slice(axis, values[0], values[0] + values.length).reshape(shape);
  return x.gather(constant(values, indices.shape, "int64"), axis);
}

/**
 * A batch whose images lie in one row, [k·N, ...], addressed by n·k + i (as_strided): entries i of each image. In a file
 * written for one image n is 0.
 */
function withinRows(c: Call, x: Tensor, indices: Tensor): Tensor | undefined {
  const k = -x.shape[0];
  const origin = c.hard === 1 ? 0 : k * ROW;
  const values = (c.values(1) as number[]).map((v) => v - origin);
  if (indices.shape[0] !== 1 || values.some((v) => !(v >= 0 && v < k))) return undefined;
  const rest = x.shape.slice(1);
  const rows = x.reshape([-1, k, ...rest]);
  const taken = values.length === k && values.every((v, i) => v === i);
  const picked = taken ? rows : rows.gather(constant(values, [values.length], "int64"), 1);
  return picked.reshape([-1, ...indices.shape.slice(1), ...rest]);
}

/** Entries at places [..., r] over the first r axes, which are known: a gather over those axes as one. */
function gatherNd(c: Call): Tensor {
  const [x, places] = [c.in(0), c.array(1) as NonNullable<ReturnType<Call["array"]>>];
  const depth = places.shape[places.shape.length - 1];
  if (c.int("batch_dims", 0) || !(depth >= 1 && depth <= x.rank)) throw new Refusal("GatherND of batches");
  const outer = x.shape.slice(0, depth);
  withinSamples(x.shape, axes(x).slice(0, depth), "GatherND");
  const strides = stridesOf(outer);
  const flat = Array.from({ length: places.data.length / depth }, (_, k) =>
    outer.reduce((sum, size, i) => {
      const at = places.data[k * depth + i];
      const place = at < 0 ? at + size : at;
      if (!(place >= 0 && place < size)) throw new TesseraeError("shape", "GatherND beyond its tensor");
      return sum + place * strides[i];
    }, 0),
  );
  const rows = x.reshape([sizeOf(outer), ...x.shape.slice(depth)]);
  return rows.gather(constant(flat, places.shape.slice(0, -1), "int64"), 0);
}

/** Broadcasts both ways: a 1 in the target keeps the tensor's size. */
function expand(c: Call): Tensor {
  const x = c.in(0);
  const target = (c.values(1) ?? []).map(toSize);
  const rank = Math.max(x.rank, target.length);
  const from = (shape: Shape, i: number): number => shape[i - rank + shape.length] ?? 1;
  const size = (own: number, wanted: number): number => {
    const written = c.hard !== undefined && own < 0 && wanted === -own * c.hard;
    return wanted === 1 || written ? own : wanted;
  };
  return x.expand(Array.from({ length: rank }, (_, i) => size(from(x.shape, i), from(target, i))));
}

function tile(c: Call): Tensor {
  const x = c.in(0);
  const repeats = c.values(1) ?? [];
  return repeats.reduce((t, value, axis) => {
    const n = toSize(value);
    if (n === 1) return t;
    if (t.shape[axis] === 1) return t.expand(t.shape.map((d, i) => (i === axis ? n : d)));
    withinSamples([n, ...t.shape], [0, axis + 1], "Tile");
    if (!(n >= 0 && n <= 2 ** 16)) throw new Refusal(`Tile of ${n} copies`);
    return concat(Array<Tensor>(n).fill(t), axis);
  }, x);
}

function pad(c: Call): Tensor {
  const x = c.in(0);
  const given = c.list(1, "pads") ?? [];
  const at = (c.values(3) ?? axes(x)).map((a) => normalizeAxis(a, x.rank));
  const value = c.opset < 11 ? c.float("value", 0) : (c.scalar(2) ?? 0);
  const mode = c.string("mode", "constant");
  return at.reduce((t, axis, i) => {
    const [before, after] = [given[i], given[i + at.length]];
    if (before === 0 && after === 0) return t;
    withinSamples(t.shape, [axis], "Pad");
    if (mode !== "constant") return mirrored(t, axis, before, after, mode);
    const cut = sliced(t, axis, Math.max(-before, 0), t.shape[axis] + Math.min(after, 0), 1);
    return cut.pad(
      cut.shape.map((_, a) => (a === axis ? [Math.max(before, 0), Math.max(after, 0)] : [0, 0])),
      value,
    );
  }, x);
}

/** Padding by pixels of the image: which one stands at each place. */
function mirrored(x: Tensor, axis: number, before: number, after: number, mode: string): Tensor {
  const size = x.shape[axis];
  const period = Math.max(2 * (size - 1), 1);
  const place = (i: number): number => {
    if (mode === "edge") return Math.min(Math.max(i, 0), size - 1);
    if (mode === "wrap") return ((i % size) + size) % size;
    const m = ((i % period) + period) % period;
    return m < size ? m : period - m;
  };
  if (!["edge", "wrap", "reflect"].includes(mode) || size + before + after > 2 ** 16)
    throw new Refusal(`Pad by ${mode}`);
  const places = Array.from({ length: size + before + after }, (_, i) => place(i - before));
  return x.gather(constant(places, [places.length], "int64"), axis);
}

/** Channels to blocks of pixels; DCR: the block's place is the outer part of the channel, CRD: the inner. */
function depthToSpace(c: Call): Tensor {
  const x = c.in(0);
  const b = c.int("blocksize", 1);
  const [n, channels, h, w] = x.shape;
  const depth = channels / (b * b);
  const crd = c.string("mode", "DCR") === "CRD";
  const parts = crd ? x.reshape([n, depth, b, b, h, w]) : x.reshape([n, b, b, depth, h, w]);
  return parts.transpose(crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]).reshape([n, depth, h * b, w * b]);
}

function spaceToDepth(c: Call): Tensor {
  const x = c.in(0);
  const b = c.int("blocksize", 1);
  const [n, channels, h, w] = x.shape;
  const parts = x.reshape([n, channels, h / b, b, w / b, b]);
  return parts.transpose([0, 3, 5, 1, 2, 4]).reshape([n, channels * b * b, h / b, w / b]);
}

/** The sizes of a tensor, as far as `start` and `end` ask. */
function shapeOf(c: Call): Tensor {
  const { shape } = c.in(0);
  const bound = (v: number): number => Math.min(Math.max(v < 0 ? v + shape.length : v, 0), shape.length);
  const part = shape.slice(bound(c.int("start", 0)), bound(c.int("end", shape.length)));
  return constant(part.map(toValue), [part.length], "int64");
}

export const shapes: Adapters = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: join,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherND: gatherNd,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  Resize: resize,
  Upsample: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Shape: shapeOf,
  Size: (c) => constant(sizeOf(c.in(0).shape.map(toValue)), [], "int64"),
  Identity: (c) => c.in(0),
  Dropout: (c) => (c.outputs > 1 ? [c.in(0), c.in(0).equal(c.in(0))] : c.in(0)),
};
