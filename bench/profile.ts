import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { specFor } from "./cases.ts";
import { openWork, type WorkSpec } from "./work.ts";

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly output_type_shape?: readonly Record<string, number[]>[] };
}

export interface ProfileRow {
  /** Operator type, or type and output shape. */
  readonly what: string;
  /** Per step. */
  readonly count: number;
  readonly ms: number;
}

/** Time per kind of operator over the last `steps` runs of onnxruntime's trace. */
export function aggregate(events: readonly TraceEvent[], steps: number, byShape = false): ProfileRow[] {
  const runs = events.filter((e) => e.name === "model_run").sort((a, b) => a.ts - b.ts);
  const from = runs.at(-steps)?.ts ?? 0;
  const rows = new Map<string, { count: number; us: number }>();
  for (const e of events) {
    if (e.cat !== "Node" || !e.name.endsWith("_kernel_time") || e.ts < from) continue;
    const shapes = e.args?.output_type_shape?.flatMap((s) => Object.values(s)).map((s) => s.join("x"));
    const what = byShape ? `${e.args?.op_name} ${shapes?.join(" ") ?? ""}` : `${e.args?.op_name}`;
    const row = rows.get(what) ?? { count: 0, us: 0 };
    rows.set(what, { count: row.count + 1, us: row.us + e.dur });
  }
  return [...rows]
    .map(([what, { count, us }]) => ({ what, count: count / steps, ms: us / 1000 / steps }))
    .sort((a, b) => b.ms - a.ms);
}

async function profile(spec: WorkSpec, steps: number, options: { without?: string[] }): Promise<TraceEvent[]> {
  const folder = await mkdtemp(join(tmpdir(), "tesserae-profile-"));
  try {
    const work = await openWork(spec, { ...options, profile: join(folder, "trace") });
    for (let i = 0; i < steps + 2; i++) await work.step();
    await work.dispose();
    const [file] = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    return JSON.parse(await readFile(join(folder, file), "utf8")) as TraceEvent[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(rows: readonly ProfileRow[], most: number): void {
  const total = rows.reduce((sum, r) => sum + r.ms, 0);
  for (const { what, count, ms } of [...rows.slice(0, most), { what: "all", count: sum(rows), ms: total }])
    console.log(
      `${ms.toFixed(2).padStart(9)} ms ${((100 * ms) / total).toFixed(1).padStart(5)} % ${String(count).padStart(6)}  ${what}`,
    );
}

const sum = (rows: readonly ProfileRow[]): number => rows.reduce((n, r) => n + r.count, 0);

const command = new Command("node bench/profile.mjs")
  .description("Time per operator type of one step, by onnxruntime's own profile")
  .argument("<model>", "a model's name, or a case of the bench")
  .option("--batch <n>", "images of a step", Number, 16)
  .option("--train", "a training step instead of inference", false)
  .option("--options <json>", "options of the model", (text: string) => JSON.parse(text), {})
  .option("--steps <n>", "steps that count, after two that do not", Number, 3)
  .option("--threads <n>", "threads", Number, 2)
  .option("--without <pass...>", "passes to leave out")
  .option("--shapes", "by type and output shape", false)
  .option("--top <n>", "rows", Number, 40)
  .option("--json", "rows as JSON", false)
  .addHelpText("after", "\nExample: node bench/profile.mjs vit_tiny_patch16_224 --batch 16 --train --shapes")
  .parse();

const o = command.opts();
const spec = specFor({
  kind: o.train ? "train" : "infer",
  model: command.args[0],
  options: o.options,
  batch: o.batch,
  threads: o.threads,
});
const rows = aggregate(await profile(spec, o.steps, { without: o.without }), o.steps, o.shapes);
if (o.json) console.log(JSON.stringify(rows));
else print(rows, o.top);
