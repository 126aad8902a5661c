import type { ChartDrawing } from "./drawing.ts";

/** Quality on images of one severity of one corruption. */
export interface CorruptedQuality {
  readonly corruption: string;
  /** "noise", "blur", "weather", "digital" or "patches". */
  readonly family: string;
  /** From 1 on. */
  readonly severity: number;
  /** What that severity sets. */
  readonly level: string;
  /** Percent. */
  readonly top1: number;
  readonly loss: number;
}

/** What a model loses where images get worse. */
export interface Robustness {
  /** Images that each figure is of. */
  readonly images: number;
  readonly seed: number;
  readonly clean: { readonly top1: number; readonly loss: number };
  readonly corrupted: readonly CorruptedQuality[];
}

/** Mean top-1 (percent) of each corruption over its severities, in the order of the figures. */
export function meanByCorruption({ corrupted }: Robustness): Map<string, number> {
  const lists = new Map<string, number[]>();
  for (const { corruption, top1 } of corrupted) lists.set(corruption, [...(lists.get(corruption) ?? []), top1]);
  return new Map([...lists].map(([name, list]) => [name, list.reduce((a, b) => a + b, 0) / list.length]));
}

/** Mean top-1 (percent) over corruptions but those of patches, each the mean of its severities; undefined where there is none. */
export function meanTop1(robustness: Robustness): number | undefined {
  const common = robustness.corrupted.filter((c) => c.family !== "patches");
  const means = [...meanByCorruption({ ...robustness, corrupted: common }).values()];
  return means.length === 0 ? undefined : means.reduce((a, b) => a + b, 0) / means.length;
}

/** One chart a family: top-1 by severity, 0 the images as they are. */
export function robustnessDrawing(robustness: Robustness): ChartDrawing {
  const { clean, corrupted, images } = robustness;
  const families = [...new Set(corrupted.map((c) => c.family))];
  const chart = (family: string) => {
    const own = corrupted.filter((c) => c.family === family);
    const names = [...new Set(own.map((c) => c.corruption))];
    const values = [
      ...names.map((corruption) => ({ corruption: spoken(corruption), severity: 0, top1: clean.top1 })),
      ...own.map(({ corruption, severity, top1 }) => ({ corruption: spoken(corruption), severity, top1 })),
    ];
    return {
      title: family,
      width: 230,
      height: 170,
      data: { values },
      mark: { type: "line", point: true },
      encoding: {
        x: { field: "severity", type: "quantitative", axis: { tickMinStep: 1, format: "d" } },
        y: { field: "top1", type: "quantitative", title: "top-1 (%)", scale: { domain: [0, 100] } },
        color: {
          field: "corruption",
          type: "nominal",
          title: null,
          sort: null,
          legend: { orient: "bottom", columns: 2 },
        },
      },
    };
  };
  const mean = meanTop1(robustness);
  const summary =
    mean === undefined ? "" : ` Mean over severities and corruptions (patches left out): ${mean.toFixed(1)} %.`;
  return {
    kind: "chart",
    title: "Accuracy under corruption",
    caption: `Top-1 on ${images} images by severity; 0 is the images as they are (${clean.top1.toFixed(1)} %).${summary}`,
    data: robustness,
    spec: { concat: families.map(chart), columns: 3, resolve: { scale: { color: "independent" } } },
  };
}

const spoken = (name: string): string => name.replaceAll("_", " ");
