import type { Shape } from "../graph/types.ts";

/** A float32 array as NumPy's .npy file, version 1.0 (numpy.lib.format): magic, header of a multiple of 64 bytes, data. */
export function writeNpy(data: Float32Array, shape: Shape): Uint8Array[] {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`;
  const padded = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11)}\n`;
  const head = new Uint8Array(10 + padded.length);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(head.buffer).setUint16(8, padded.length, true);
  head.set(new TextEncoder().encode(padded), 10);
  return [head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}
