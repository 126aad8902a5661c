import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel } from "../graph/onnx.ts";
import { decompose } from "../graph/passes/decompose.ts";
import { type Program, program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import { nodesOf } from "../graph/walk.ts";
import { median } from "../median.ts";
import type { Model } from "../models/model.ts";
import { productMacs } from "../models/statistics.ts";
import type { Backend } from "../runtime/backend.ts";
import { type SampleOptions, type SampleWork, sampleInference, sampleStep } from "./sample-work.ts";

/** An event of a Chrome trace; microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

export type Phase = "forward" | "backward" | "update";

/** What one operator of the program took in one run, a mean over the runs. */
export interface Profiled {
  readonly op: string;
  /** Path of the module it belongs to, "loss", "optimizer", or "runtime" for what the runtime put in. */
  readonly module: string;
  readonly phase: Phase;
  /** Shapes of its outputs. */
  readonly shape: string;
  readonly ms: number;
  /** Multiply-accumulates; 0 where it is no product. */
  readonly macs: number;
}

export interface Profile {
  /** Wall time of a run without profiling, median, in milliseconds. */
  readonly ms: number;
  readonly made: SampleWork["made"];
  readonly operators: readonly Profiled[];
  /** The last run as a Chrome trace. */
  readonly trace: readonly TraceEvent[];
}

export interface ProfileOptions extends Omit<SampleOptions, "profile"> {
  /** A training step, else inference. */
  readonly training: boolean;
  /** Runs that count, after two that do not. */
  readonly steps: number;
  readonly onRun?: (done: number, total: number) => void;
}

const WARMUP = 2;

/** Where the time of a model's training step or inference goes, by onnxruntime's own clock. CPU only. */
export async function profileModel(model: Model, backend: Backend, options: ProfileOptions): Promise<Profile> {
  const { training, steps, onRun, ...sample } = options;
  const open = training ? sampleStep : sampleInference;
  const total = 2 * (WARMUP + steps);
  const folder = await mkdtemp(join(tmpdir(), "tesserae-profile-"));
  try {
    const times: number[] = [];
    const runs = async (work: SampleWork, from: number) => {
      for (let i = 0; i < WARMUP + steps; i++) {
        const started = performance.now();
        await work.run();
        if (from === 0 && i >= WARMUP) times.push(performance.now() - started);
        onRun?.(from + i + 1, total);
      }
      await work.dispose();
      return work.program;
    };
    const plain = await open(model, backend, sample);
    await runs(plain, 0);
    const profiled = await open(model, backend, { ...sample, profile: join(folder, "trace") });
    const graph = await runs(profiled, WARMUP + steps);
    const [file] = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    const events = JSON.parse(await readFile(join(folder, file), "utf8")) as TraceEvent[];
    return { ms: median(times), made: plain.made, ...measured(graph, events, steps) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last `steps` runs of onnxruntime's trace, each operator found in the program by its name. */
export function measured(
  graph: Program,
  events: readonly TraceEvent[],
  steps: number,
): Pick<Profile, "operators" | "trace"> {
  const starts = events.filter((e) => e.name === "model_run").map((e) => e.ts);
  starts.sort((a, b) => a - b);
  const from = starts.at(-steps) ?? 0;
  const { outputs } = decompose(graph); // as it is written, and numbered
  const nodes = nodesOf(outputs.values());
  const forward = new Set(nodesOf([outputs.get("loss") ?? outputs.get("logits")].filter((t) => !!t)));
  const rows = new Map<string, Profiled>();
  const trace: TraceEvent[] = [];
  for (const event of events) {
    if (event.cat !== "Node" || !event.name.endsWith(KERNEL) || event.ts < from) continue;
    const name = event.name.slice(0, -KERNEL.length);
    const [, scope, number] = /^(?:fused )?(.*)\/\w+?_(\d+)/.exec(name) ?? [];
    const node = number === undefined ? undefined : nodes[Number(number)];
    if (number !== undefined && !node) continue; // inside a Scan's body: the Scan's own time has it
    const module = scope ?? "runtime";
    const phase = !node || forward.has(node) ? "forward" : UPDATE.has(module) ? "update" : "backward";
    const op = String(event.args?.op_name ?? node?.op);
    const old = rows.get(name);
    const ms = (old?.ms ?? 0) + event.dur / 1000 / steps;
    rows.set(name, { op, module, phase, shape: shapeOf(event), ms, macs: node ? productMacs(node) : 0 });
    if (event.ts >= (starts.at(-1) ?? 0)) trace.push(told(event, name, { op, module, phase }));
  }
  return { operators: [...rows.values()], trace };
}

const KERNEL = "_kernel_time";
const UPDATE = new Set(["optimizer", "averages", "main"]);

const shapeOf = ({ args }: TraceEvent): string => {
  const shapes = (args?.output_type_shape ?? []) as readonly Readonly<Record<string, readonly number[]>>[];
  return shapes
    .flatMap((s) => Object.values(s))
    .map((s) => s.join("x"))
    .join(" ");
};

/** As a trace viewer shows it: the operator on a line of its phase, module and shape beside. */
const told = (event: TraceEvent, name: string, about: Pick<Profiled, "op" | "module" | "phase">): TraceEvent => ({
  name: `${about.module} ${about.op}`,
  cat: about.phase,
  ph: "X",
  ts: event.ts,
  dur: event.dur,
  pid: 0,
  tid: 0,
  args: { ...about, node: name, shape: shapeOf(event) },
});

export interface Sum {
  readonly what: string;
  readonly calls: number;
  readonly ms: number;
  readonly phases: Readonly<Record<Phase, number>>;
  /** Multiply-accumulates of a run. */
  readonly macs: number;
}

/** Sums over operators of one name, the slowest first. */
export function sumBy(operators: readonly Profiled[], nameOf: (p: Profiled) => string): Sum[] {
  const sums = new Map<string, Sum>();
  for (const p of operators) {
    const what = nameOf(p);
    const s = sums.get(what) ?? { what, calls: 0, ms: 0, phases: { forward: 0, backward: 0, update: 0 }, macs: 0 };
    const phases = { ...s.phases, [p.phase]: s.phases[p.phase] + p.ms };
    sums.set(what, { what, calls: s.calls + 1, ms: s.ms + p.ms, phases, macs: s.macs + p.macs });
  }
  return [...sums.values()].sort((a, b) => b.ms - a.ms);
}

/** The first `depth` parts of a module's path; a name and the number behind it are one part. */
export function pathTo(module: string, depth: number): string {
  const parts = module.split(".").reduce<string[]>((out, part) => {
    if (/^\d+$/.test(part) && /^[^.]+$/.test(out.at(-1) ?? ".")) out.push(`${out.pop()}.${part}`);
    else out.push(part);
    return out;
  }, []);
  return parts.slice(0, depth).join(".");
}

const SIDE = 768;
const PRODUCTS = 16;

/** Multiply-accumulates per second of this machine: a chain of float32 products 768 x 768, the best of ten runs. */
export async function peakMacs(backend: Backend): Promise<number> {
  const [a, b] = ["a", "b"].map((name) => input(name, "float32", [SIDE, SIDE]));
  let y = a;
  for (let i = 0; i < PRODUCTS; i++) y = y.matmul(b);
  const session = await backend.load(encodeModel(program("peak", new Map([["y", y.mean([0, 1])]]))));
  const matrix = { dtype: "float32" as const, shape: [SIDE, SIDE], data: new Float32Array(SIDE * SIDE).fill(1 / SIDE) };
  const state = await backend.createState(
    new Map([
      ["a", matrix],
      ["b", matrix],
    ]),
  );
  try {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 10; i++) {
      const started = performance.now();
      await session.run(new Map(), { state });
      best = Math.min(best, performance.now() - started);
    }
    return (PRODUCTS * SIDE ** 3) / (best / 1000);
  } finally {
    await session.dispose();
    await state.dispose();
  }
}
