const UNITS: readonly (readonly [number, string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** 5717416 -> "5.72 M", the space one that no line breaks at. */
export function short(n: number): string {
  const [size, unit] = UNITS.find(([size]) => n >= size) ?? [1, ""];
  return size === 1 ? String(n) : `${(n / size).toPrecision(3)}\u202f${unit}`;
}

export const percent = (value: number | undefined, digits = 2): string =>
  value === undefined ? "–" : `${value.toFixed(digits)} %`;

export const fixed = (value: number | undefined, digits = 4): string => value?.toFixed(digits) ?? "–";

/** Four digits that count: 0.000123, 12.35. */
export const figure = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(1).replace("e+", "e")
    : String(Number(value.toPrecision(4)));

const AGES: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
];

/** How long ago, in words. */
export function ago(time: number, now = Date.now()): string {
  const seconds = Math.max(0, (now - time) / 1000);
  const [size, name] = AGES.find(([size]) => seconds >= size) ?? [1, ""];
  if (name === "") return "just now";
  const n = Math.floor(seconds / size);
  return `${n} ${name}${n === 1 ? "" : "s"} ago`;
}

/** What a run is measured by, in words, and its best figure. */
export const METRIC_NAMES = { top1: "top-1", top5: "top-5", loss: "loss" } as const;

export const metricText = (metric: keyof typeof METRIC_NAMES, value: number | undefined): string =>
  metric === "loss" ? fixed(value) : percent(value);
