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
