export const SCALES = ["linear", "sqrt"] as const;
export type RateScale = (typeof SCALES)[number];

/** Optimizers whose rate grows with the square root of the batch: timm's rule, Adam's kin and LAMB. */
export const adaptive = (optimizer: string): boolean => /ada|lamb/.test(optimizer);

export interface BaseRate {
  /** The rate at `size` images. */
  readonly base: number;
  readonly size: number;
  /** Default: by the optimizer. */
  readonly scale?: RateScale;
  readonly optimizer: string;
}

/** base · batch / size, or base · √(batch / size); `batch` counts the images of one update. */
export function scaledRate({ base, size, scale, optimizer }: BaseRate, batch: number): number {
  const ratio = batch / size;
  return base * ((scale ?? (adaptive(optimizer) ? "sqrt" : "linear")) === "sqrt" ? Math.sqrt(ratio) : ratio);
}
