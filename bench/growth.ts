import { median } from "../src/median.ts";
import { specFor } from "./cases.ts";
import { Child, type ChildOptions } from "./child.ts";
import { photographs } from "./data.ts";
import { ourScript, pythonScript } from "./peers.ts";
import { pause, type RunOptions } from "./run-case.ts";
import { TRAINING, type WorkSpec } from "./work.ts";

/** Time and memory as one quantity grows: at 4 points, and the exponent of a power law through them. */
export interface Growth {
  readonly name: string;
  /** What grows. */
  readonly what: string;
  readonly side: "ours" | "pytorch";
  readonly points: readonly GrowthPoint[];
  /** p of time ~ x^p and memory ~ x^p, by least squares of the logarithms. */
  readonly timeExponent: number;
  readonly memoryExponent: number;
}

export interface GrowthPoint {
  readonly x: number;
  /** Milliseconds of a step (of 64 photographs where workers grow), median. */
  readonly ms: number;
  /** Peak resident memory of the process. */
  readonly megabytes: number;
}

interface Series {
  readonly name: string;
  readonly what: string;
  readonly xs: readonly number[];
  /** The training step at a point. */
  readonly at: (x: number) => Pick<WorkSpec, "model" | "options" | "ourOptions" | "batch">;
}

const vit = (options: Record<string, unknown>, batch: number) => ({ model: "vit_tiny_patch16_224", options, batch });
const pvt = (side: number, ratios: readonly number[]) => ({
  model: "pvt_v2_b0",
  // timm's model takes any size; ours is told.
  options: { sr_ratios: ratios },
  ourOptions: { img_size: side },
  batch: 2,
});

const SERIES: readonly Series[] = [
  { name: "ViT-Ti, batch", what: "images", xs: [4, 8, 16, 32], at: (batch) => vit({}, batch) },
  { name: "ViT-Ti, depth", what: "blocks", xs: [6, 12, 24, 48], at: (depth) => vit({ depth }, 8) },
  // (side / 16)² patches: 49, 100, 196, 400.
  { name: "ViT-Ti, tokens", what: "pixels a side", xs: [112, 160, 224, 320], at: (side) => vit({ img_size: side }, 8) },
  {
    name: "PVT v2 b0, R = 8, 4, 2, 1",
    what: "pixels a side",
    xs: [128, 192, 256, 320],
    at: (s) => pvt(s, [8, 4, 2, 1]),
  },
  { name: "PVT v2 b0, R = 1", what: "pixels a side", xs: [128, 192, 256, 320], at: (s) => pvt(s, [1, 1, 1, 1]) },
];

const WORKERS = [1, 2, 3, 4];

/** Slope of log y over log x. */
export function exponent(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (i: number) => logs.reduce((sum, l) => sum + l[i], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const slope = (f: (l: number[]) => number) => logs.reduce((sum, l) => sum + (l[0] - mx) * f(l), 0);
  return slope((l) => l[1] - my) / slope((l) => l[0] - mx);
}

/** Every series on both sides, a process for each point; the sides take turns. */
export async function growth(only: readonly string[] | undefined, o: RunOptions): Promise<Growth[]> {
  const wanted = (name: string) =>
    !only?.length || only.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  const out: Growth[] = [];
  for (const series of SERIES.filter((s) => wanted(s.name))) out.push(...(await grow(series, o)));
  if (wanted("data, workers")) out.push(await growWorkers(o));
  return out;
}

async function grow({ name, what, xs, at }: Series, o: RunOptions): Promise<Growth[]> {
  const points = { ours: [] as GrowthPoint[], pytorch: [] as GrowthPoint[] };
  for (const x of xs) {
    const base = specFor({ kind: "train", threads: o.threads, ...at(x) });
    const spec = { ...base, training: TRAINING };
    for (const [side, command] of Object.entries(sides(o))) {
      const point = await measured(command, { spec, variant: "eager", layout: "contiguous" }, x);
      points[side as keyof typeof points].push(point);
      o.log(`${name}: ${x} ${what}: ${side} ${point.ms.toFixed(0)} ms, ${point.megabytes.toFixed(0)} MB`);
    }
  }
  return (["ours", "pytorch"] as const)
    .filter((side) => points[side].length > 0)
    .map((side) => growthOf(name, what, side, points[side]));
}

const sides = ({ paths }: RunOptions): Record<string, ChildOptions> => ({
  ours: { command: process.execPath, args: [ourScript(paths, "ours")] },
  ...(paths.python && { pytorch: { command: paths.python, args: ["-u", pythonScript(paths, "worker")] } }),
});

/** Decoding, cropping and RandAugment of 64 photographs by 1 to 4 workers. */
async function growWorkers(o: RunOptions): Promise<Growth> {
  const photos = await photographs(o.paths.root);
  try {
    const points: GrowthPoint[] = [];
    for (const workers of WORKERS) {
      const spec = { kind: "data", files: photos.files, batch: 16, size: 224, aa: "rand-m9-mstd0.5-inc1", workers };
      points.push(await measured(sides(o).ours, { spec }, workers));
    }
    return growthOf("data, workers", "workers", "ours", points);
  } finally {
    await photos.remove();
  }
}

const STEPS = 5;

async function measured(command: ChildOptions, request: Record<string, unknown>, x: number): Promise<GrowthPoint> {
  const child = new Child(command);
  try {
    await child.ask({ cmd: "open", ...request });
    await child.ask({ cmd: "turn", repeats: 1 });
    await pause();
    const ms = median((await child.ask({ cmd: "turn", repeats: STEPS })).ms as number[]);
    return { x, ms, megabytes: Number((await child.ask({ cmd: "memory" })).bytes) / 1e6 };
  } finally {
    await child.close();
  }
}

const growthOf = (name: string, what: string, side: Growth["side"], points: readonly GrowthPoint[]): Growth => ({
  name,
  what,
  side,
  points,
  timeExponent: exponent(points.map(({ x, ms }) => [x, ms])),
  memoryExponent: exponent(points.map(({ x, megabytes }) => [x, megabytes])),
});

/** Rows of "what, side, time and memory at each point, exponents". */
export function growthTable(all: readonly Growth[]): string {
  const head = ["what grows", "side", "at", "ms a step", "exponent", "peak MB", "exponent"];
  const rows = all.map(({ name, what, side, points, timeExponent, memoryExponent }) => [
    `${name} (${what})`,
    side,
    points.map((p) => p.x).join(", "),
    points.map((p) => p.ms.toFixed(0)).join(", "),
    timeExponent.toFixed(2),
    points.map((p) => p.megabytes.toFixed(0)).join(", "),
    memoryExponent.toFixed(2),
  ]);
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
