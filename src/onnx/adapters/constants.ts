import { TesseraeError } from "../../errors.ts";
import { tensorOf } from "../../graph/onnx-tensor.ts";
import { constant, type Tensor } from "../../graph/tensor.ts";
import { type DType, normalizeAxis, sizeOf, stridesOf, toDoubles } from "../../graph/types.ts";
import { dot, forEachIndex, nd } from "../../ops/ndarray.ts";
import { BATCH, isBatch, ROW, toSize } from "../batch.ts";
import { type Adapters, type Call, Refusal } from "../call.ts";
import { LIMITS } from "../limits.ts";
import { workingType } from "./elementwise.ts";

const ofArray = ({ shape, data }: { shape: readonly number[]; data: Float64Array }, dtype: DType): Tensor =>
  constant(data, shape, dtype);

function checkCount(count: number, op: string): void {
  if (!(count >= 0 && count <= LIMITS.constant)) throw new Refusal(`${op} of ${count} values`);
}

/** A tensor of one value; a free batch makes it an expansion. */
function constantOfShape(c: Call): Tensor {
  const shape = (c.values(0) ?? []).map(toSize);
  const proto = c.tensor("value");
  const value = proto ? tensorOf(proto) : undefined;
  const dtype = workingType(value?.dtype ?? "float32");
  const v = value ? toDoubles(value.data)[0] : 0;
  if (shape.some((d) => d < 0)) return constant(v, [], dtype).expand(shape);
  checkCount(sizeOf(shape), c.op);
  return constant(new Float64Array(sizeOf(shape)).fill(v), shape, dtype);
}

function range(c: Call): Tensor {
  const [start, limit, delta] = [0, 1, 2].map((i) => c.scalar(i) as number);
  const count = Math.max(Math.ceil((limit - start) / delta), 0);
  if (limit === BATCH && start === 0 && delta === 1) return constant([ROW], [1], c.in(0).dtype);
  if (isBatch(limit) || isBatch(start)) throw new Refusal("Range over a part of the batch");
  checkCount(count, c.op);
  return constant(
    Array.from({ length: count }, (_, i) => start + i * delta),
    [count],
    c.in(0).dtype,
  );
}

/** Indices of what is not zero, [rank, count], of a constant. */
function nonZero(c: Call): Tensor {
  const x = c.array(0) as NonNullable<ReturnType<Call["array"]>>;
  const found: number[][] = x.shape.map(() => []);
  let count = 0;
  forEachIndex(x.shape, (flat, index) => {
    if (x.data[flat] === 0) return;
    count++;
    index.forEach((v, i) => {
      found[i].push(v);
    });
  });
  return constant(found.flat(), [x.shape.length, count], "int64");
}

/** x with slices replaced, all constants. */
function scatterNd(c: Call): Tensor {
  const [x, indices, updates] = [0, 1, 2].map((i) => c.array(i) as NonNullable<ReturnType<Call["array"]>>);
  if (c.string("reduction", "none") !== "none") throw new Refusal("ScatterND that adds");
  const depth = indices.shape[indices.shape.length - 1];
  const strides = stridesOf(x.shape);
  const width = sizeOf(x.shape.slice(depth));
  const out = x.data.slice();
  for (let k = 0; k < indices.data.length / depth; k++) {
    const place = Array.from(indices.data.subarray(k * depth, (k + 1) * depth), (v, i) => (v < 0 ? v + x.shape[i] : v));
    if (place.some((v, i) => !(v >= 0 && v < x.shape[i])))
      throw new TesseraeError("shape", "ScatterND beyond its tensor");
    out.set(updates.data.subarray(k * width, (k + 1) * width), dot(place, strides.slice(0, depth)));
  }
  return ofArray(nd(x.shape, out), c.in(0).dtype);
}

/** Sums of what came before along an axis, of a constant. */
function cumSum(c: Call): Tensor {
  const x = c.array(0) as NonNullable<ReturnType<Call["array"]>>;
  if (c.int("exclusive", 0) || c.int("reverse", 0)) throw new Refusal("CumSum in reverse or without the entry itself");
  const axis = normalizeAxis(c.scalar(1) ?? 0, x.shape.length);
  const stride = stridesOf(x.shape)[axis];
  const out = x.data.slice();
  forEachIndex(x.shape, (flat, index) => {
    if (index[axis] > 0) out[flat] += out[flat - stride];
  });
  return ofArray(nd(x.shape, out), c.in(0).dtype);
}

/** What lies on one side of a diagonal; zeros elsewhere. */
function trilu(c: Call): Tensor {
  const x = c.in(0);
  const [rows, columns] = x.shape.slice(-2);
  const [k, upper] = [c.scalar(1) ?? 0, c.int("upper", 1)];
  checkCount(rows * columns, c.op);
  const keep = Array.from({ length: rows * columns }, (_, i) => {
    const diagonal = (i % columns) - Math.floor(i / columns) - k;
    return Number(upper ? diagonal >= 0 : diagonal <= 0);
  });
  return constant(keep, [rows, columns], "bool").where(x, constant(0, [], x.dtype));
}

function literal(c: Call): Tensor {
  const proto = c.tensor("value");
  if (proto) throw new TesseraeError("internal", "a Constant's tensor is read with the initializers");
  const ints = c.ints("value_ints");
  const floats = c.floats("value_floats");
  if (ints) return constant(ints, [ints.length], "int64");
  if (floats) return constant(floats, [floats.length]);
  if (c.has("value_int")) return constant(c.int("value_int", 0), [], "int64");
  if (c.has("value_float")) return constant(c.float("value_float", 0));
  throw new Refusal("Constant of text or of a sparse tensor");
}

/** Operators whose result must be known before the model runs. */
export const constants: Adapters = {
  Constant: literal,
  ConstantOfShape: constantOfShape,
  Range: range,
  NonZero: nonZero,
  ScatterND: scatterNd,
  CumSum: cumSum,
  Trilu: trilu,
};
