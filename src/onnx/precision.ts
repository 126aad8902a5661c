import { halfTable } from "../graph/half.ts";
import { isFloat, type TensorData } from "../graph/types.ts";

/** A tensor in the precision that is trained in: every kind of float as float32. */
export function single({ dtype, shape, data }: TensorData): TensorData {
  if (!isFloat(dtype) || dtype === "float32") return { dtype, shape, data };
  const out = new Float32Array(data.length);
  const table = dtype === "float16" ? halfTable() : undefined;
  const bits = new Uint32Array(out.buffer); // bfloat16 = the upper half of a float32
  for (let i = 0; i < out.length; i++)
    if (table) out[i] = table[Number(data[i])];
    else if (dtype === "bfloat16") bits[i] = Number(data[i]) << 16;
    else out[i] = Number(data[i]);
  return { dtype: "float32", shape, data: out };
}
