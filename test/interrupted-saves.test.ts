import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Loader } from "../src/data/loader.ts";
import { keyed } from "../src/data/random.ts";
import { createModel } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createCheckpointStore } from "../src/node/checkpoint-store.ts";
import { faultyFileSystem } from "../src/node/faulty-file-system.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { adamw } from "../src/optim/adamw.ts";
import type { Backend, Session } from "../src/runtime/backend.ts";
import type { LoadedCheckpoint } from "../src/train/checkpoint.ts";
import { type FitEvent, type FitOptions, type FitResult, fit } from "../src/train/fit.ts";
import { endOf } from "./unbreakable/runs.ts";

const CLASSES = 3;
const SIDE = 8;
const model = createModel("convmixer", {
  img_size: SIDE,
  dim: 4,
  depth: 1,
  kernel_size: 3,
  patch_size: 2,
  num_classes: CLASSES,
});
const weights = initialize(model, 1);

const root = mkdtempSync(join(tmpdir(), "tesserae-saves-"));
let backend: Backend;
beforeAll(async () => {
  backend = remembering(await createOrtBackend({ device: "cpu", threads: 1 }));
});
afterAll(async () => {
  await backend.dispose();
  rmSync(root, { recursive: true, force: true });
});

/** Loads each program once: the runs here are many, and all of the same programs. */
function remembering(of: Backend): Backend {
  const sessions = new Map<string, Promise<Session>>();
  const load: Backend["load"] = async (program, options) => {
    const key = Buffer.from(program.model).toString("latin1");
    const loading = sessions.get(key) ?? of.load(program, options);
    sessions.set(key, loading);
    const session = await loading;
    return { run: session.run.bind(session), time: session.time.bind(session), dispose: async () => {} };
  };
  return { ...of, load };
}

const loaderOf = (batches: number): Loader => ({
  batchesPerEpoch: batches,
  skipped: new Map(),
  close: async () => {},
  async *epoch(epoch, from = 0) {
    for (let batch = from; batch < batches; batch++) {
      const random = keyed(3, epoch, batch);
      const images = Uint8Array.from({ length: 8 * 3 * SIDE * SIDE }, () => random.int(256));
      const labels = Int32Array.from({ length: 8 }, () => random.int(CLASSES));
      yield { images, labels, indices: labels, count: 8 };
    }
  },
});

interface RunOptions extends Partial<FitOptions> {
  fs?: ReturnType<typeof faultyFileSystem>;
  history?: number;
  epochs?: number;
}

/** A run in a folder, or its going on. Events are of this part. */
async function run(folder: string, { fs = faultyFileSystem(), history = 1, epochs = 2, ...options }: RunOptions = {}) {
  const store = createCheckpointStore(folder, { history, fs });
  const events: FitEvent[] = [];
  const resume = await createCheckpointStore(folder, { history, fs: faultyFileSystem() }).latest();
  const fitted = fit({
    model,
    backend,
    weights,
    step: { batch: 4, accumulate: 2, optimizer: adamw(), emaDecay: 0.9, seed: 2 },
    epochs,
    schedule: () => 0.01,
    train: loaderOf(8),
    saveInterval: 3,
    save: (state) => store.save(state),
    resume,
    onEvent: (event) => events.push(event),
    ...options,
    rollback: options.rollback && { ...options.rollback, load: (path) => store.load(join(folder, basename(path))) },
  });
  const result: FitResult | Error = await fitted.catch((error: Error) => error);
  return { result, events, resume, store };
}

describe("a fault at each step of a save", () => {
  const start = join(root, "start");
  let expected = "";
  let calls = 0;
  let folder = "";

  /** Stopped after the first of two steps: the other step and one save are left. */
  const rest: RunOptions = { train: loaderOf(2), epochs: 1 };
  beforeAll(async () => {
    const controller = new AbortController();
    const onEvent = (e: FitEvent) => void (e.type === "step" && controller.abort());
    await run(start, { ...rest, onEvent, signal: controller.signal });
    folder = join(root, "whole");
    cpSync(start, folder, { recursive: true });
    const fs = faultyFileSystem();
    await run(folder, { ...rest, fs });
    expected = endOf(folder);
    calls = fs.calls.length;
  });

  it.each([
    ["that fails the run", false],
    ["that ends the process", true],
  ])("%s leaves an intact checkpoint, from which it ends with the same weights", async (_, dead) => {
    let failed = 0;
    expect(calls).toBeGreaterThan(30);
    for (let at = 1; at <= calls; at++) {
      rmSync(folder, { recursive: true, force: true });
      cpSync(start, folder, { recursive: true });
      const fs = faultyFileSystem({ at, code: "EIO", dead });
      const broken = await run(folder, { ...rest, fs });
      if (broken.result instanceof Error) failed++;
      const again = await run(folder, rest);
      expect(again.resume?.warnings, fs.calls[at - 1]).toEqual([]);
      expect(again.resume?.step, fs.calls[at - 1]).toBeGreaterThanOrEqual(1);
      expect(again.result, fs.calls[at - 1]).not.toBeInstanceOf(Error);
      expect(endOf(folder), fs.calls[at - 1]).toBe(expected);
    }
    expect(failed).toBeGreaterThan(10);
  });
});

describe("a run that goes back on a spike", () => {
  /** Far too high a rate in updates 28 and 52, seen in the loss after them. */
  const spiking: RunOptions = {
    epochs: 7,
    schedule: (step) => (step === 27 || step === 51 ? 30 : 0.002),
    saveInterval: 5,
    rollback: { factor: 1.5, load: () => Promise.reject() },
  };
  const rollbacks = (events: readonly FitEvent[]) =>
    events.filter((e) => e.type === "rollback").map(({ step, to }) => [step, to]);
  const logOf = async (folder: string) => {
    const last = (await createCheckpointStore(folder, { history: 1 }).latest()) as LoadedCheckpoint;
    return (last.meta.progress as { rollbackLog: { step: number; to: number }[] }).rollbackLog;
  };

  let never: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    never = await run(join(root, "spiking"), spiking);
  });

  it("keeps a record of each in its checkpoints", async () => {
    const went = rollbacks(never.events);
    expect(went[0]).toEqual([29, 25]);
    const log = await logOf(join(root, "spiking"));
    expect(log.map(({ step, to }) => [step, to])).toEqual(went);
  });

  /** Stops after a step. */
  const stopped = async (folder: string, at: number): Promise<void> => {
    const controller = new AbortController();
    const onEvent = (e: FitEvent) => void (e.type === "step" && e.step === at && controller.abort());
    const { result } = await run(folder, { ...spiking, onEvent, signal: controller.signal });
    expect(result).toMatchObject({ interrupted: true });
  };

  it("ends the same where it is stopped before, between and after, twice in a row too", async () => {
    const folder = join(root, "stopped");
    const [[spike, to]] = rollbacks(never.events);
    for (const at of [to + 1, spike - 1, spike + 2]) await stopped(folder, at);
    const rest = await run(folder, spiking);
    expect(rest.result).not.toBeInstanceOf(Error);
    expect(endOf(folder)).toBe(endOf(join(root, "spiking")));
    expect(await logOf(folder)).toEqual(await logOf(join(root, "spiking")));
  });

  it("ends the same where it goes on in another folder", async () => {
    const [first, second] = [join(root, "first"), join(root, "second")];
    const [[spike, to]] = rollbacks(never.events);
    await stopped(first, spike - 1);
    const from = (await createCheckpointStore(first, { history: 1 }).latest()) as LoadedCheckpoint;
    expect(from.anchor).toBe(`checkpoint-${String(to).padStart(8, "0")}`);
    const store = createCheckpointStore(second, { history: 1 });
    const adopted = await store.adopt(from);
    expect(dirname(adopted.path)).toBe(second);
    expect(readdirSync(second).filter((name) => name.startsWith("checkpoint-"))).toHaveLength(2);
    rmSync(first, { recursive: true });
    await run(second, spiking);
    expect(existsSync(first)).toBe(false);
    expect(endOf(second)).toBe(endOf(join(root, "spiking")));
  });
});

describe("steps that are not finite", () => {
  /** A rate that overflows every weight: the steps after it are not finite. */
  const broken = (at: number): RunOptions => ({ schedule: (step) => (step === at ? 1e38 : 0.01), maxBadSteps: 4 });

  it("are counted on across a resume, and stop it as if it had not been stopped", async () => {
    const never = await run(join(root, "bad-never"), broken(9));
    expect(String(never.result)).toMatch(/step 15 .*the last of 5 such steps in a row/);
    const folder = join(root, "bad");
    const controller = new AbortController();
    const onEvent = (e: FitEvent) => void (e.type === "bad-step" && e.step === 12 && controller.abort());
    await run(folder, { ...broken(9), onEvent, signal: controller.signal });
    const rest = await run(folder, broken(9));
    expect(String(rest.result)).toBe(String(never.result));
    const counted = (events: readonly FitEvent[]) =>
      events.filter((e) => e.type === "bad-step").map(({ step, inARow, total }) => [step, inARow, total]);
    expect(counted(rest.events)).toEqual(counted(never.events).filter(([step]) => step > 12));
    expect(counted(rest.events).length).toBeGreaterThan(1);
  });
});
