/**
 * Counter-based randomness: every draw is a hash of (seed, keys, counter), so a sample's stream depends on what it
 * is, never on which worker made it or when. The mixer is MurmurHash3's 32-bit finaliser.
 */
export interface Random {
  /** [0, 1), 32 bits. */
  uniform(): number;
  /** [a, b). */
  uniformIn(a: number, b: number): number;
  /** Integer in [0, n). */
  int(n: number): number;
  /** Standard normal. */
  normal(): number;
}

/** A number is taken as an integer (64 bits' worth); a string by its UTF-16 code units. */
export type RandomKey = number | string;

const GOLDEN = 0x9e3779b9;

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** 32-bit FNV-1a over UTF-16 code units. */
export function hashString(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

class Keyed implements Random {
  // Two lanes of state: 32 bits of key would collide among a few ten thousand samples.
  #a = 0x243f6a88;
  #b = 0x85a308d3;
  #counter = 0;
  #spare: number | undefined;

  constructor(keys: readonly RandomKey[]) {
    for (const key of keys) {
      if (typeof key === "string") this.#absorb(hashString(key), key.length);
      else this.#absorb(key >>> 0, Math.floor(key / 0x100000000) >>> 0);
    }
  }

  #absorb(low: number, high: number): void {
    this.#a = mix(this.#a + Math.imul(low, GOLDEN) + 0x7f4a7c15) ^ mix(high + GOLDEN);
    this.#b = mix((this.#b ^ low) + 0x13198a2e) + mix(this.#a ^ high);
  }

  next(): number {
    return mix(mix(this.#a + Math.imul(this.#counter++, GOLDEN)) ^ this.#b);
  }

  uniform(): number {
    return this.next() / 0x100000000;
  }

  uniformIn(a: number, b: number): number {
    return a + (b - a) * this.uniform();
  }

  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    // Box-Muller; 1 - u keeps the logarithm finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** The stream of (seed, ...keys), for example `keyed(seed, epoch, sample, "flip")`. */
export function keyed(seed: number, ...keys: RandomKey[]): Random {
  return new Keyed([seed, ...keys]);
}

/** Gamma(α, 1): Marsaglia and Tsang 2000; below 1 through Gamma(α + 1) · U^(1/α). */
export function gamma(alpha: number, random: Random): number {
  if (alpha < 1) return gamma(alpha + 1, random) * (1 - random.uniform()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Fisher-Yates, in place. */
export function shuffle<T extends Uint32Array | number[]>(items: T, random: Random): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    const t = items[i];
    items[i] = items[j];
    items[j] = t;
  }
  return items;
}

/** A shuffle of 0 .. n-1, a function of (n, seed, epoch) alone. */
export function permutation(n: number, seed: number, epoch: number): Uint32Array {
  return shuffle(
    Uint32Array.from({ length: n }, (_, i) => i),
    keyed(seed, "permutation", epoch),
  );
}
