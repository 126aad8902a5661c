import { describe, expect, it } from "vitest";
import { TesseraeError } from "../errors.ts";
import { bytesOf, hostTensor, tensorFromBytes, toFloat32 } from "./host-tensor.ts";

describe("host tensors", () => {
  it("decodes float16 as IEEE 754 does, subnormals and specials included", () => {
    const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x3555];
    const values = [1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, -0, Infinity, -Infinity, NaN, 0.333251953125];
    expect([...toFloat32(hostTensor("float16", [11], Uint16Array.from(bits)))]).toEqual(values);
  });

  it("decodes bfloat16 as the upper half of a float32", () => {
    const bits = [0x3f80, 0xc000, 0x4049, 0x0001, 0x8000, 0x7f80, 0x7fc0];
    const values = [1, -2, 3.140625, 2 ** -133, -0, Infinity, NaN];
    expect([...toFloat32(hostTensor("bfloat16", [7], Uint16Array.from(bits)))]).toEqual(values);
  });

  it("gives a float32 tensor's own memory and converts the others", () => {
    const own = Float32Array.of(1, 2);
    expect(toFloat32(hostTensor("float32", [2], own))).toBe(own);
    expect([...toFloat32(hostTensor("int64", [2], BigInt64Array.of(-3n, 4n)))]).toEqual([-3, 4]);
    expect([...toFloat32(hostTensor("float64", [], Float64Array.of(0.1)))]).toEqual([Math.fround(0.1)]);
    expect([...toFloat32(hostTensor("bool", [2], Uint8Array.of(0, 1)))]).toEqual([0, 1]);
  });

  it("decodes ten million half floats in well under a second", () => {
    const tensor = hostTensor("float16", [1e7], new Uint16Array(1e7).fill(0x3c00));
    const start = performance.now();
    expect(toFloat32(tensor)[9_999_999]).toBe(1);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("views aligned bytes and copies the others", () => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setFloat32(4, 1.5, true);
    new DataView(bytes.buffer).setFloat32(9, 2.5, true);
    const view = tensorFromBytes("float32", [1], bytes.subarray(4, 8));
    expect(view.data[0]).toBe(1.5);
    expect(view.data.buffer).toBe(bytes.buffer);
    const copy = tensorFromBytes("float32", [1], bytes.subarray(9, 13));
    expect(copy.data[0]).toBe(2.5);
    expect(copy.data.buffer).not.toBe(bytes.buffer);
    expect(bytesOf(view)).toEqual(bytes.subarray(4, 8));
  });

  it("reads bytes of a pooled Node buffer at any offset", () => {
    const pooled = Buffer.from([9, 0, 0, 128, 63, 9, 9]);
    expect(tensorFromBytes("float32", [1], pooled.subarray(1, 5)).data[0]).toBe(1);
  });

  it("refuses data of another kind or length", () => {
    expect(() => hostTensor("float32", [2], Float64Array.of(1, 2))).toThrow(TesseraeError);
    expect(() => hostTensor("float32", [3], Float32Array.of(1, 2))).toThrow("needs 3 elements, not 2");
  });
});
