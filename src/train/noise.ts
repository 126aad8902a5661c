import { hashString } from "../data/random.ts";
import { constant, currentScope, type Tensor } from "../graph/tensor.ts";
import { type Shape, sizeOf } from "../graph/types.ts";

const toInt = (v: number): number => v | 0;
const int32 = (v: number): Tensor => constant(toInt(v), [], "int32");

/** x ^ (x >>> bits) on int32: the runtime shifts unsigned integers only. */
function xorShift(x: Tensor, bits: number): Tensor {
  const u = x.cast("uint32");
  return u.bitXor(u.shiftRight(bits)).cast("int32");
}

/** MurmurHash3's 32-bit finaliser; int32 products wrap. */
function mix(x: Tensor): Tensor {
  x = xorShift(x, 16).mul(int32(0x85ebca6b));
  x = xorShift(x, 13).mul(int32(0xc2b2ae35));
  return xorShift(x, 16);
}

/**
 * Uniform noise inside a program: a hash of (seed, global sample index, layer, element), so that a batch can be
 * replayed and neither workers nor micro-batches change a bit. The leading axis is the batch, or a multiple of it.
 * @param samples int32 [N], the global index of each sample of the batch
 */
export function noiseSource(seed: number, samples: Tensor): (shape: Shape) => Tensor {
  let draws = 0;
  return (wanted) => {
    const layer = hashString(`${currentScope()}#${draws++}`);
    const batch = samples.size;
    const folded = wanted[0] !== batch; // windows of a sample, one after another
    const rest = folded ? [wanted[0] / batch, ...wanted.slice(1)] : wanted.slice(1);
    const key = mix(mix(samples.mul(int32(0x9e3779b9)).add(int32(seed))).add(int32(layer))).reshape([
      batch,
      ...rest.map(() => 1),
    ]);
    const size = sizeOf(rest);
    const places = constant(
      Float64Array.from({ length: size }, (_, i) => Math.imul(i, 0x9e3779b9)),
      [1, ...rest],
      "int32",
    );
    const bits = mix(size === 1 ? key : key.add(places))
      .cast("uint32")
      .shiftRight(8);
    return bits
      .cast("float32")
      .mul(2 ** -24)
      .reshape(wanted);
  };
}
