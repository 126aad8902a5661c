import { sizeOf, type TensorData } from "../graph/types.ts";
import type { NamedSlot } from "../nn/module.ts";

/** 32-bit FNV-1a of the UTF-8 bytes. */
export function fnv1a(name: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** Calls f(i, u(name, i)) for i < count; u in [-1, 1) is the parity rule's hash of the name and the position. */
function forEachU(name: string, count: number, f: (i: number, u: number) => void): void {
  const seed = fnv1a(name);
  for (let i = 0; i < count; i++) {
    let x = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    f(i, (x >>> 8) / 8388608 - 1);
  }
}

/** scale · u(name, ·), rounded once to float32. */
export function parityValues(name: string, shape: readonly number[], scale: number): TensorData {
  const data = new Float32Array(sizeOf(shape));
  forEachU(name, data.length, (i, u) => {
    data[i] = scale * u;
  });
  return { dtype: "float32", shape, data };
}

/** A model input of the fixtures: 2u of its name. */
export const parityInput = (name: string, shape: readonly number[]): TensorData => parityValues(name, shape, 2);

/** The value that the parity rule gives a state-dict entry. */
export function parityTensor({ name, shape, dtype }: Pick<NamedSlot, "name" | "shape" | "dtype">): TensorData {
  if (dtype === "int64") return { dtype, shape, data: new BigInt64Array(sizeOf(shape)) };
  if (shape.length >= 2) return parityValues(name, shape, Math.sqrt(3) / Math.sqrt(sizeOf(shape.slice(1))));
  const data = new Float32Array(sizeOf(shape));
  const rule = ruleFor(name);
  forEachU(name, data.length, (i, u) => {
    data[i] = rule(u);
  });
  return { dtype: "float32", shape, data };
}

function ruleFor(name: string): (u: number) => number {
  if (name.endsWith("running_var")) return (u) => 1 + 0.5 * Math.abs(u);
  if (name.endsWith("running_mean") || name.endsWith("bias")) return (u) => 0.1 * u;
  return (u) => 1 + 0.1 * u;
}
