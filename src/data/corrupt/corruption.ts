import type { Random } from "../random.ts";
import type { Planes } from "./planes.ts";

export type Family = "noise" | "blur" | "weather" | "digital" | "patches";

/** One way to make images worse. */
export interface Corruption {
  readonly family: Family;
  /** What a reader is told of each severity, from 1 on. */
  readonly levels: readonly string[];
  /** A new image; severity 1 is levels[0]. */
  apply(image: Planes, severity: number, random: Random): Planes;
}

/** A corruption of the settings that its severities have. */
export function corruption<L>(
  family: Family,
  settings: readonly L[],
  apply: (image: Planes, setting: L, random: Random) => Planes,
  show: (setting: L) => string = (setting) => String(setting),
): Corruption {
  return {
    family,
    levels: settings.map(show),
    apply: (image, severity, random) => apply(image, settings[severity - 1], random),
  };
}
