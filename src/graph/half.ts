let halves: Float32Array | undefined;

/** Every float16 by its bits. value = ±2^(e-15)·(1 + m/1024), or ±2^-14·m/1024 where e = 0. */
export function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    if (exponent === 31) halves[bits] = mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else if (exponent === 0) halves[bits] = sign * mantissa * 2 ** -24;
    else halves[bits] = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
  }
  return halves;
}

/** Float32 values as float16 bits, to the nearest, halves to even; what lies beyond float16 becomes its largest number. */
export function toHalves(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, halfBits);
}

const LARGEST = 0x7bff; // 65504

function halfBits(single: number): number {
  const sign = (single >>> 16) & 0x8000;
  const exponent = (single >>> 23) & 0xff;
  const mantissa = single & 0x7fffff;
  if (exponent === 0xff && mantissa) return sign | 0x7e00;
  if (exponent >= 143) return sign | LARGEST; // 2^16 and more
  if (exponent < 102) return sign; // below half of 2^-24
  // Below 2^-14 the leading one is written out, and shifted.
  const shift = exponent < 113 ? 126 - exponent : 13;
  const whole = exponent < 113 ? mantissa | 0x800000 : mantissa | ((exponent - 112) << 23);
  const low = whole & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const kept = whole >>> shift;
  const rounded = low > half || (low === half && kept & 1) ? kept + 1 : kept;
  return sign | Math.min(rounded, LARGEST);
}
