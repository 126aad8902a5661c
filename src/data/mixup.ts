import { gamma, keyed, type Random } from "./random.ts";

/** Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019) of a batch with itself in reverse order, as timm's Mixup. */
export interface MixupOptions {
  /** α of mixup's Beta(α, α); 0: no mixup. */
  readonly mixup: number;
  /** α of CutMix's Beta(α, α); 0: no CutMix. */
  readonly cutmix: number;
  /** Least and largest part of each side that CutMix replaces, instead of drawing the area. */
  readonly cutmixMinmax?: readonly [number, number];
  /** Chance that a batch (pair, image) is mixed at all. */
  readonly prob: number;
  /** Chance of CutMix where both are on. */
  readonly switchProb: number;
  /** One draw for the whole batch, for each pair of images, or for each image. */
  readonly mode: "batch" | "pair" | "elem";
}

/** Mixup and CutMix of every batch of a run. */
export interface Mixing extends MixupOptions {
  readonly seed: number;
  /** Epochs from this one on are not mixed. */
  readonly offEpoch?: number;
}

/** How image i and its partner, image N - 1 - i, are mixed. */
export interface Mix {
  /** Part of the image itself in its target. */
  readonly lam: number;
  /** Rows y0 to y1 and columns x0 to x1 come from the partner; absent: all pixels are blended. */
  readonly box?: { readonly y0: number; readonly y1: number; readonly x0: number; readonly x1: number };
}

const PLAIN: Mix = { lam: 1 };

/** A run's mixes of a batch of n images [H, W]; undefined where the epoch's batches are not mixed. */
export function mixesOf(
  mixing: Mixing | undefined,
  n: number,
  size: readonly [number, number],
  { epoch, batch }: { epoch: number; batch: number },
): Mix[] | undefined {
  if (!mixing || epoch >= (mixing.offEpoch ?? Number.POSITIVE_INFINITY)) return undefined;
  return drawMixes(mixing, n, size, { seed: mixing.seed, epoch, batch });
}

/** Draws for a batch of n images [H, W]: a function of seed, epoch and batch. */
export function drawMixes(
  options: MixupOptions,
  n: number,
  size: readonly [number, number],
  { seed, epoch, batch }: { seed: number; epoch: number; batch: number },
): Mix[] {
  const draw = (i: number): Mix => drawMix(options, size, keyed(seed, "mixup", epoch, batch, i));
  if (options.mode === "batch") return new Array<Mix>(n).fill(draw(0));
  if (options.mode === "elem") return Array.from({ length: n }, (_, i) => draw(i));
  return Array.from({ length: n }, (_, i) => draw(Math.min(i, n - 1 - i)));
}

function drawMix(o: MixupOptions, [height, width]: readonly [number, number], random: Random): Mix {
  if (random.uniform() >= o.prob) return PLAIN;
  const cuts = o.cutmix > 0 && (o.mixup === 0 || random.uniform() < o.switchProb);
  if (!cuts) return { lam: beta(o.mixup, random) };
  const box = o.cutmixMinmax
    ? boundedBox(o.cutmixMinmax, height, width, random)
    : areaBox(1 - beta(o.cutmix, random), height, width, random);
  const area = (box.y1 - box.y0) * (box.x1 - box.x0);
  return { lam: 1 - area / (height * width), box };
}

/** A box of the given part of the image around a random centre, cut at the edges (CutMix, eq. 2). */
function areaBox(part: number, height: number, width: number, random: Random): NonNullable<Mix["box"]> {
  const side = Math.sqrt(part);
  const along = (length: number): [number, number] => {
    const half = Math.floor(Math.floor(length * side) / 2);
    const centre = random.int(length);
    return [Math.max(0, centre - half), Math.min(length, centre + half)];
  };
  const [y0, y1] = along(height);
  const [x0, x1] = along(width);
  return { y0, y1, x0, x1 };
}

/** A box with each side a part of the image's between the bounds, anywhere within it. */
function boundedBox(
  [least, most]: readonly [number, number],
  height: number,
  width: number,
  random: Random,
): NonNullable<Mix["box"]> {
  const along = (length: number): [number, number] => {
    const [low, high] = [Math.floor(length * least), Math.floor(length * most)];
    const side = low + random.int(Math.max(1, high - low));
    const start = random.int(Math.max(1, length - side));
    return [start, start + side];
  };
  const [y0, y1] = along(height);
  const [x0, x1] = along(width);
  return { y0, y1, x0, x1 };
}

/** Beta(α, α) from two gammas. */
function beta(alpha: number, random: Random): number {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  return a + b > 0 ? a / (a + b) : Number(random.uniform() < 0.5); // both underflow for a tiny α: its limit is a coin
}

/** Pixels [N, C, H, W] mixed, rounded to bytes; the given ones stay as they are. */
export function mixImages(
  images: Uint8Array,
  mixes: readonly Mix[],
  [channels, height, width]: readonly [number, number, number],
): Uint8Array<ArrayBuffer> {
  const size = channels * height * width;
  const mixed = Uint8Array.from(images);
  mixes.forEach(({ lam, box }, i) => {
    if (lam === 1) return;
    const out = mixed.subarray(i * size, (i + 1) * size);
    const partner = images.subarray((mixes.length - 1 - i) * size, (mixes.length - i) * size);
    if (!box) for (let p = 0; p < size; p++) out[p] = out[p] * lam + partner[p] * (1 - lam) + 0.5;
    else
      for (let row = 0; row < channels * height; row++) {
        const y = row % height;
        if (y < box.y0 || y >= box.y1) continue;
        const from = row * width;
        out.set(partner.subarray(from + box.x0, from + box.x1), from + box.x0);
      }
  });
  return mixed;
}

/** Targets [N, K], distributions over the classes, mixed with those of the batch in reverse. */
export function mixTargets(targets: Float32Array, mixes: readonly Mix[], classes: number): Float32Array {
  return targets.map((v, at) => {
    const i = Math.floor(at / classes);
    const { lam } = mixes[i];
    const partner = targets[(mixes.length - 1 - i) * classes + (at % classes)];
    return v * lam + partner * (1 - lam);
  });
}
