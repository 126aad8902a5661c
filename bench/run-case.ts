import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { median } from "../src/median.ts";
import type { Case, DataCase, StepCase } from "./cases.ts";
import { Child, type ChildOptions, type Reply } from "./child.ts";
import { photographs } from "./data.ts";
import { NO_PYTHON, ourScript, type Paths, type Peer, pythonScript } from "./peers.ts";
import { compare, measure, type Player } from "./stats.ts";
import { TRAINING, type WorkSpec } from "./work.ts";

/** One case against one peer. */
export interface Row {
  readonly name: string;
  /** Median; absent where our side failed. */
  readonly ours: number | null;
  readonly peer: number | null;
  readonly peerName: string;
  /** peer / ours. */
  readonly ratio: number | null;
  readonly unit: "ms" | "MB";
  readonly oursMin?: number;
  readonly peerMin?: number;
  readonly ratioMin?: number;
  readonly rounds?: number;
  /** How the peer did it, or why it did not. */
  readonly note?: string;
  /** Both sides' loss on the same weights and batch. */
  readonly loss?: { readonly ours: number; readonly peer: number };
  readonly samples?: { readonly ours: readonly number[]; readonly peer: readonly number[] };
}

export interface RunOptions {
  readonly rounds: number;
  readonly threads: number;
  readonly paths: Paths;
  readonly peers: readonly Peer[];
  readonly log: (line: string) => void;
}

const LOSS_TOLERANCE = 1e-4;
/** A peer whose turns take longer plays three rounds only. */
const SLOW_MS = 4000;
/** Threads of a runtime spin after a run: onnxruntime's for 50 to 95 ms. */
const PAUSE_MS = 200;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
export const pause = (): Promise<void> => sleep(PAUSE_MS);
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Measures one case against all peers that can do it. */
export async function runCase(c: Case, options: RunOptions): Promise<Row[]> {
  if (c.kind === "first-step") return firstStep(c.name, options);
  if (c.kind === "data") return withPhotographs(options, (files) => dataCase(c, files, options));
  const spec = { ...c.spec(), threads: options.threads, training: TRAINING };
  if (c.kind === "memory") return memoryCase(c.name, spec, options);
  const peers = options.peers.filter((p) => p.can(c, spec));
  return stepCase(c, spec, peers, options);
}

/** A side that is open: its process sleeps until its turn. */
interface Side {
  readonly name: string;
  readonly child: Child;
  readonly loss: number;
  readonly note?: string;
  readonly player: Player;
}

interface Opening {
  readonly name: string;
  readonly process: ChildOptions;
  readonly request: Reply;
  readonly repeats: number;
  readonly patience: number;
  /** Turns before those that count. */
  readonly warmUp: number;
}

async function open({ name, process, request, repeats, patience, warmUp }: Opening): Promise<Side> {
  const child = new Child(process);
  try {
    const { loss, note } = (await child.ask({ cmd: "open", ...request }, patience)) as { loss: number; note?: string };
    const turn = async () => median((await child.ask({ cmd: "turn", repeats }, patience)).ms as number[]);
    const player: Player = { name, turn };
    for (let i = 0; i < warmUp; i++) {
      const started = performance.now();
      await turn();
      if (performance.now() - started > SLOW_MS) break;
    }
    return { name, child, loss, note, player };
  } catch (error) {
    await child.close();
    throw error;
  }
}

/** Share of one processor that a side uses while it waits for its turn. */
async function idleLoad({ child }: Side, ms = 300): Promise<number> {
  await pause();
  const before = Number((await child.ask({ cmd: "cpu" })).ms);
  await sleep(ms);
  return (Number((await child.ask({ cmd: "cpu" })).ms) - before) / ms;
}

const differs = (ours: number, peer: number): boolean =>
  !(Math.abs(ours - peer) <= LOSS_TOLERANCE * Math.max(1, Math.abs(ours)));

async function stepCase(c: StepCase, spec: WorkSpec, peers: readonly Peer[], o: RunOptions): Promise<Row[]> {
  const common = { repeats: c.repeats, warmUp: 2 };
  const own = { command: process.execPath, args: [ourScript(o.paths, "ours")] };
  const ours = await open({ ...common, name: "ours", process: own, request: { spec }, patience: 300_000 });
  const sides = [ours];
  const failed = new Map<string, string>();
  try {
    for (const peer of peers) {
      const start = peer.start(o.paths);
      if (typeof start === "string") {
        failed.set(peer.name, start);
        continue;
      }
      o.log(`${c.name}: ${peer.name} warms up`);
      try {
        const request = { spec, variant: peer.variant };
        const side = await open({ ...common, name: peer.name, process: start, request, patience: peer.patience });
        sides.push(side);
        if (differs(ours.loss, side.loss))
          failed.set(peer.name, `FAILED: not the same work: loss ${ours.loss} against ${side.loss}`);
      } catch (error) {
        failed.set(peer.name, message(error));
      }
    }
    await logIdleLoads(c.name, sides, o);
    const players = sides.filter((s) => !failed.has(s.name)).map((s) => s.player);
    const samples = await play(c.name, players, o);
    return peers.map((peer) => row(c.name, "ms", samples, peer.name, sides, failed.get(peer.name)));
  } finally {
    await Promise.all(sides.map((s) => s.child.close()));
  }
}

/** Says what every side uses while it waits: a side that spins takes time from the others. */
async function logIdleLoads(name: string, sides: readonly Side[], { log }: RunOptions): Promise<void> {
  const loads: string[] = [];
  for (const side of sides) loads.push(`${side.name} ${Math.round(100 * (await idleLoad(side)))} %`);
  log(`${name}: share of a processor while waiting: ${loads.join(", ")}`);
}

const play = (name: string, players: readonly Player[], { rounds, log }: RunOptions) =>
  measure(players, {
    rounds,
    slow: SLOW_MS,
    pause,
    onRound: (round, samples) => {
      const last = [...samples].map(([who, values]) => `${who} ${median(values).toFixed(1)}`);
      log(`${name}: round ${round + 1} of ${rounds}, medians so far: ${last.join(", ")}`);
    },
  });

function row(
  name: string,
  unit: Row["unit"],
  samples: ReadonlyMap<string, readonly number[]>,
  peerName: string,
  sides: readonly { name: string; loss?: number; note?: string }[],
  failure?: string,
): Row {
  const ours = samples.get("ours") ?? [];
  const peer = samples.get(peerName);
  if (failure !== undefined || !peer?.length) {
    const alone = ours.length ? { ours: median(ours), oursMin: Math.min(...ours) } : { ours: null };
    return { name, ...alone, peer: null, peerName, ratio: null, unit, note: failure ?? "not measured" };
  }
  const [own, other] = ["ours", peerName].map((n) => sides.find((s) => s.name === n));
  const loss = own?.loss !== undefined && other?.loss !== undefined && { ours: own.loss, peer: other.loss };
  const { ratio, ratioMin, ...times } = compare(ours, peer);
  return {
    name,
    peerName,
    ratio,
    ratioMin,
    ...times,
    unit,
    note: other?.note,
    ...(loss && { loss }),
    samples: { ours, peer },
  };
}

const MEMORY_STEPS = 5;

/** Peak resident memory of a process that trains for five steps; PyTorch's is that of its leaner layout. */
async function memoryCase(name: string, spec: WorkSpec, o: RunOptions): Promise<Row[]> {
  const peak = async (command: ChildOptions, request: Reply): Promise<number> => {
    const child = new Child(command);
    try {
      await child.ask({ cmd: "open", spec, ...request });
      await child.ask({ cmd: "turn", repeats: MEMORY_STEPS - 1 });
      return Number((await child.ask({ cmd: "memory" })).bytes) / 1e6;
    } finally {
      await child.close();
    }
  };
  const own = { command: process.execPath, args: [ourScript(o.paths, "ours")] };
  const players: Player[] = [{ name: "ours", turn: () => peak(own, {}) }];
  if (o.paths.python) {
    const worker = { command: o.paths.python, args: ["-u", pythonScript(o.paths, "worker")] };
    for (const layout of ["contiguous", "channels_last"])
      players.push({ name: layout, turn: () => peak(worker, { variant: "eager", layout }) });
  }
  const rounds = Math.min(3, o.rounds);
  const samples = await measure(players, {
    rounds,
    pause,
    onRound: (r) => o.log(`${name}: round ${r + 1} of ${rounds}`),
  });
  const layouts = ["contiguous", "channels_last"].filter((l) => samples.has(l));
  if (!layouts.length) return [row(name, "MB", samples, "pytorch", [], NO_PYTHON)];
  const best = layouts.reduce((a, b) => (median(samples.get(b) ?? []) < median(samples.get(a) ?? []) ? b : a));
  samples.set("pytorch", samples.get(best) ?? []);
  return [row(name, "MB", samples, "pytorch", [{ name: "pytorch", note: best }])];
}

async function withPhotographs<T>(o: RunOptions, use: (photos: Photos) => Promise<T>): Promise<T> {
  const photos = await photographs(o.paths.root);
  try {
    return await use(photos);
  } finally {
    await photos.remove();
  }
}

type Photos = Awaited<ReturnType<typeof photographs>>;

/** A command held to one processor, where the system can do that: images per second and core. */
function onOneCore(c: ChildOptions): ChildOptions {
  const core = String(Math.max(0, availableParallelism() - 1));
  try {
    execFileSync("taskset", ["-c", core, "true"], { stdio: "ignore" });
    return { ...c, command: "taskset", args: ["-c", core, c.command, ...c.args] };
  } catch {
    return c;
  }
}

/** Milliseconds per photograph: decode, random resized crop to 224, flip, what `aa` adds; one worker on one core. */
async function dataCase({ name, aa }: DataCase, photos: Photos, o: RunOptions): Promise<Row[]> {
  const spec = { kind: "data", files: photos.files, batch: 16, size: 224, aa };
  const perImage = ({ player, ...side }: Side): Side => ({
    ...side,
    player: { ...player, turn: async () => (await player.turn()) / photos.files.length },
  });
  const begin = async (who: string, process: ChildOptions) =>
    perImage(
      await open({
        name: who,
        process: onOneCore(process),
        request: { spec },
        repeats: 1,
        patience: 300_000,
        warmUp: 1,
      }),
    );
  const sides = [await begin("ours", { command: process.execPath, args: [ourScript(o.paths, "ours")] })];
  try {
    if (o.paths.python)
      sides.push(await begin("pytorch", { command: o.paths.python, args: ["-u", pythonScript(o.paths, "worker")] }));
    await logIdleLoads(name, sides, o);
    const samples = await play(
      name,
      sides.map((s) => s.player),
      o,
    );
    const known = [{ name: "pytorch", note: `${aa ? "Pillow and timm" : "Pillow and torchvision"}; ${photos.what}` }];
    return [row(name, "ms", samples, "pytorch", known, o.paths.python ? undefined : NO_PYTHON)];
  } finally {
    await Promise.all(sides.map((s) => s.child.close()));
  }
}

/** Milliseconds from the command to the first training step's loss, each time a new process. */
async function firstStep(name: string, o: RunOptions): Promise<Row[]> {
  return withPhotographs(o, async (photos) => {
    const model = "vit_tiny_patch16_224";
    const rest = [model, "16", String(o.threads)];
    let runs = 0;
    const timed = async (command: () => ChildOptions): Promise<number> => {
      const started = performance.now();
      const child = new Child(command());
      try {
        await child.next();
        return performance.now() - started;
      } finally {
        await child.close();
      }
    };
    const own = () => ({
      command: process.execPath,
      args: [ourScript(o.paths, "first-step"), photos.folder, join(photos.scratch, `run${runs++}`), ...rest],
    });
    const players: Player[] = [{ name: "ours", turn: () => timed(own) }];
    const { python } = o.paths;
    const theirs = () => ({
      command: python as string,
      args: [pythonScript(o.paths, "first_step"), photos.train, ...rest],
    });
    if (python) players.push({ name: "pytorch", turn: () => timed(theirs) });
    for (const player of players) await player.turn(); // the disk's cache is warm
    const samples = await play(name, players, o);
    return [row(name, "ms", samples, "pytorch", [], python ? undefined : NO_PYTHON)];
  });
}
