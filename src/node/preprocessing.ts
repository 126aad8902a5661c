import { TesseraeError } from "../errors.ts";
import type { Preprocessing } from "../models/model.ts";

/** What flags say of preprocessing. */
export interface PreparationSettings {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly interpolation?: Preprocessing["interpolation"];
  readonly cropPct?: number;
}

export const givenPreprocessing = ({
  mean,
  std,
  interpolation,
  cropPct,
}: PreparationSettings): Partial<Preprocessing> => ({ mean, std, interpolation, crop_pct: cropPct });

/**
 * What was given of a preprocessing, for images of so many channels: one mean or deviation stands for all. Throws
 * TesseraeError("usage") for another count of numbers.
 */
export function perChannel(given: Partial<Preprocessing>, channels: number): Partial<Preprocessing> {
  const settled = Object.entries(given).map(([key, value]) => {
    if (!Array.isArray(value) || value.length === channels) return [key, value];
    if (value.length === 1) return [key, new Array(channels).fill(value[0])];
    throw new TesseraeError("usage", `--${key} takes 1 or ${channels} numbers, not ${value.length}`);
  });
  return Object.fromEntries(settled.filter(([, value]) => value !== undefined));
}
