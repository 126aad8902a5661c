import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { TesseraeError } from "../errors.ts";
import { type CheckpointState, decodeManifest, type LoadedCheckpoint } from "../train/checkpoint.ts";
import { hostTensor } from "../weights/host-tensor.ts";
import { readSafetensors } from "../weights/safetensors.ts";
import { createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
import { faultyFileSystem } from "./faulty-file-system.ts";
import { compileForChild } from "./test-child.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-checkpoint-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let folder = "";
beforeEach(() => {
  folder = join(root, `run${count++}`);
});

const filled = (size: number, value: number) => hostTensor("float32", [size], new Float32Array(size).fill(value));

/** Every value tells the step. */
const state = (step: number, metric?: number, size = 100): CheckpointState => ({
  step,
  metric,
  model: new Map([
    ["head.weight", filled(size, step)],
    ["head.bias", filled(3, step + 0.5)],
  ]),
  optimizer: new Map([["exp_avg.head.weight", filled(size, -step)]]),
  meta: { model: "vit_tiny", seed: 42, epoch: step / 10 },
});

function expectState(loaded: LoadedCheckpoint | undefined, expected: CheckpointState): void {
  const { step, metric, model, optimizer, meta } = loaded!;
  expect({ step, metric, model, optimizer, meta }).toEqual(expected);
}

const names = () => readdirSync(folder).sort();
const steps = async (history = 99) => (await createCheckpointStore(folder, { history }).list()).map(({ step }) => step);

async function saved(...states: CheckpointState[]): Promise<string[]> {
  const store = createCheckpointStore(folder, { history: 99, fs: faultyFileSystem() });
  const paths: string[] = [];
  for (const each of states) paths.push(await store.save(each));
  return paths;
}

function flipBit(path: string, byte: number, bit: number): void {
  const bytes = readFileSync(path);
  bytes[byte] ^= 1 << bit;
  writeFileSync(path, bytes);
}

async function failure(promise: Promise<unknown>): Promise<TesseraeError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TesseraeError);
  expect((error as TesseraeError).message).not.toContain("\n");
  return error as TesseraeError;
}

describe("checkpoints", () => {
  it("come back as they were saved", async () => {
    const [path] = await saved(state(10, 0.5));
    expect(basename(path)).toBe("checkpoint-00000010");
    expect(readdirSync(path).sort()).toEqual(["manifest.json", "model.safetensors", "optimizer.safetensors"]);
    const store = createCheckpointStore(folder, { history: 1 });
    for (const loaded of [await store.latest(), await store.best(), await store.load(path)]) {
      expectState(loaded, state(10, 0.5));
      expect(loaded?.warnings).toEqual([]);
    }
  });

  it("are none in an absent or empty folder", async () => {
    const store = createCheckpointStore(folder, { history: 1 });
    expect(await store.latest()).toBeUndefined();
    mkdirSync(folder);
    expect(await store.latest()).toBeUndefined();
    expect(await store.best()).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });

  it("record the size and SHA-256 of each file", async () => {
    const [path] = await saved(state(1));
    const manifest = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8"));
    for (const file of ["model.safetensors", "optimizer.safetensors"]) {
      const bytes = readFileSync(join(path, file));
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect(manifest.files[file]).toEqual({ bytes: bytes.byteLength, sha256 });
    }
    expect(readSafetensors(readFileSync(join(path, "model.safetensors"))).has("head.weight")).toBe(true);
  });

  it("survive tensors larger than a block and many small ones", async () => {
    const big = state(1, undefined, 5_000_000);
    for (let i = 0; i < 2000; i++) (big.model as Map<string, unknown>).set(`small.${i}`, filled(300, i));
    const [path] = await saved(big);
    const { model } = await loadCheckpoint(path);
    expect([...model.keys()]).toEqual([...big.model.keys()]);
    for (const [name, { data }] of big.model) {
      const back = model.get(name)!.data;
      expect(Buffer.compare(Buffer.from(back.buffer, back.byteOffset, back.byteLength), Buffer.from(data.buffer))).toBe(
        0,
      );
    }
  });

  it("keep the newest and the best", async () => {
    const store = createCheckpointStore(folder, { history: 2 });
    const metrics = [0.1, 0.9, 0.3, 0.9, 0.2, Number.NaN];
    for (const [i, metric] of metrics.entries()) await store.save(state(i + 1, metric));
    expect(await steps()).toEqual([2, 5, 6]);
    expect((await store.best())?.step).toBe(2);
    expect((await store.latest())?.step).toBe(6);
  });

  it("take a lower metric for better where told so", async () => {
    const store = createCheckpointStore(folder, { history: 1, better: "lower" });
    for (const [i, metric] of [0.5, 0.1, 0.3, 0.2].entries()) await store.save(state(i, metric));
    expect(await steps()).toEqual([1, 3]);
  });

  it("follow the order of saving where a run went back to an earlier step", async () => {
    const store = createCheckpointStore(folder, { history: 2 });
    for (const step of [10, 20, 15]) await store.save(state(step));
    expect((await store.latest())?.step).toBe(15);
    expect(await steps()).toEqual([20, 15]);
  });

  it("replace an earlier save of the same step", async () => {
    await saved(state(5, 0.1), state(5, 0.2));
    expectState(await createCheckpointStore(folder, { history: 3 }).latest(), state(5, 0.2));
    expect(await steps()).toEqual([5]);
  });

  it("are saved one after another even when asked for at once", async () => {
    const store = createCheckpointStore(folder, { history: 2 });
    await Promise.all([1, 2, 3, 4].map((step) => store.save(state(step))));
    expect(await steps()).toEqual([3, 4]);
  });

  it("refuse a history of none", () => {
    expect(() => createCheckpointStore(folder, { history: 0 })).toThrow(TesseraeError);
  });

  it("take metadata with names that are traps for plain objects", async () => {
    const meta = JSON.parse('{"__proto__": {"polluted": 1}, "checksum": "x", "2": 1, "1": 2}');
    const [path] = await saved({ ...state(1), meta });
    expect(JSON.stringify((await loadCheckpoint(path)).meta)).toBe(JSON.stringify(meta));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("damaged checkpoints", () => {
  it.each(["model.safetensors", "optimizer.safetensors", "manifest.json"])(
    "are passed over with a warning: %s flipped, cut, longer, missing",
    async (file) => {
      const damages: ((path: string) => void)[] = [
        (path) => flipBit(path, readFileSync(path).byteLength - 4, 0),
        (path) => flipBit(path, 9, 3),
        (path) => truncateSync(path, readFileSync(path).byteLength - 1),
        (path) => truncateSync(path, 0),
        (path) => writeFileSync(path, "x", { flag: "a" }),
        (path) => rmSync(path),
      ];
      for (const damage of damages) {
        rmSync(folder, { recursive: true, force: true });
        const [, newest] = await saved(state(1, 0.1), state(2, 0.2));
        damage(join(newest, file));
        const store = createCheckpointStore(folder, { history: 3 });
        for (const loaded of [await store.latest(), ...(file === "manifest.json" ? [] : [await store.best()])]) {
          expectState(loaded, state(1, 0.1));
          expect(loaded?.warnings).toHaveLength(1);
          expect(loaded?.warnings[0]).toMatch(/checkpoint-00000002.*Using checkpoint-00000001 instead$/);
        }
        expect((await failure(store.load(newest))).code).toBe("weights");
      }
    },
  );

  it("are noticed at every single bit of a manifest", async () => {
    const [path] = await saved(state(1, 0.5));
    const bytes = readFileSync(join(path, "manifest.json"));
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const decode = () => decodeManifest(new TextDecoder().decode(bytes), hash, "m");
    expect(decode).not.toThrow();
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      expect(decode).toThrow(TesseraeError);
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
  });

  it("are an error where none is intact, not a fresh start", async () => {
    for (const path of await saved(state(1), state(2))) truncateSync(join(path, "model.safetensors"), 5);
    const error = await failure(createCheckpointStore(folder, { history: 3 }).latest());
    expect(error.code).toBe("weights");
    expect(error.message).toContain("no checkpoint can be loaded");
  });

  it("do not push intact ones out of the history", async () => {
    const [, , newest] = await saved(state(1), state(2), state(3));
    flipBit(join(newest, "model.safetensors"), 500, 1);
    const store = createCheckpointStore(folder, { history: 2 });
    expect((await store.latest())?.step).toBe(2);
    await store.save(state(4));
    expect(await steps()).toEqual([2, 4]);
    expectState(await store.latest(), state(4));
  });

  it("stay where they may belong to another version", async () => {
    const [first] = await saved(state(1));
    const text = readFileSync(join(first, "manifest.json"), "utf8").replace('"version": 1', '"version": 2');
    const zeros = text.replace(/[0-9a-f]{64}(?="\n\}\n$)/, "0".repeat(64));
    const checksum = createHash("sha256").update(zeros).digest("hex");
    writeFileSync(join(first, "manifest.json"), zeros.replace(/0{64}(?="\n\}\n$)/, checksum));
    const store = createCheckpointStore(folder, { history: 1 });
    expect((await failure(store.latest())).message).toContain("version 2");
    for (const step of [1, 2]) await store.save(state(step));
    expect(names()).toEqual(["checkpoint-00000001", "checkpoint-00000002"]);
  });
});

describe("saving where calls fail", () => {
  const old = state(2, 0.5);
  const fresh = state(3, 0.6);
  const before = join(root, "before");

  /** The best at step 1, the latest at 2, then a save of step 3 that also has step 2 to delete. */
  async function attempt(fs: ReturnType<typeof faultyFileSystem>): Promise<unknown> {
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(before)) {
      await saved(state(1, 0.9), old);
      cpSync(folder, before, { recursive: true });
    } else cpSync(before, folder, { recursive: true });
    return createCheckpointStore(folder, { history: 1, fs })
      .save(fresh)
      .catch((error: unknown) => error);
  }

  it.each([false, true])("leaves the old or the new one complete after every call (process dead: %s)", async (dead) => {
    const trace = faultyFileSystem();
    expect(await attempt(trace)).toContain("checkpoint-00000003");
    expect(trace.calls.length).toBeGreaterThan(30);
    let failed = 0;
    for (let at = 1; at <= trace.calls.length; at++) {
      const fs = faultyFileSystem({ at, code: "ENOSPC", dead });
      const result = await attempt(fs);
      const call = fs.calls[at - 1];
      const broken = result instanceof Error;
      if (broken) {
        failed++;
        expect((result as TesseraeError).code, call).toBe("io");
        expect((result as TesseraeError).message, call).toContain("the disk is full");
      }
      if (!dead && !call.startsWith("remove")) expect(names().filter((name) => name.startsWith("."))).toEqual([]);

      const store = createCheckpointStore(folder, { history: 1 });
      const loaded = await store.latest();
      expectState(loaded, broken && loaded?.step === 2 ? old : fresh);
      expect(loaded?.warnings, call).toEqual([]);
      expectState(await store.best(), state(1, 0.9));
      expect(names().filter((name) => name.startsWith("."))).toEqual([]);

      if (at % 8 > 0) continue; // slow: it syncs
      await store.save(state(4));
      expect(await steps()).toEqual([1, 4]);
    }
    expect(failed).toBeGreaterThan(10);
  });

  it("syncs the files, their folder and the parent before anything is deleted, manifest last", async () => {
    const fs = faultyFileSystem();
    await attempt(fs);
    const order = fs.calls
      .map((call) => call.replaceAll(`${folder}/`, "").replace(/\.tesserae-tmp-[^/ ]*/g, "TMP"))
      .filter((call) => /^(open TMP|sync|syncFolder|rename)/.test(call));
    expect(order).toEqual([
      "open TMP/model.safetensors",
      "sync TMP/model.safetensors",
      "open TMP/optimizer.safetensors",
      "sync TMP/optimizer.safetensors",
      "open TMP/manifest.json",
      "sync TMP/manifest.json",
      "syncFolder TMP",
      "rename TMP checkpoint-00000003",
      `syncFolder ${folder}`,
      "rename checkpoint-00000002 TMP",
    ]);
  });

  it("warns where an old checkpoint cannot be deleted, and deletes it after the next save", async () => {
    await saved(state(1), state(2));
    const trace = faultyFileSystem();
    const warnings: string[] = [];
    const fs = { ...trace, rename: (from: string, to: string) => trace.rename(from, to) };
    const store = createCheckpointStore(folder, { history: 1, fs, onWarning: (line) => warnings.push(line) });
    fs.rename = async (from, to) => {
      if (basename(from).startsWith("checkpoint-")) throw Object.assign(new Error("busy"), { code: "EACCES" });
      await trace.rename(from, to);
    };
    await store.save(state(3));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cannot delete an old checkpoint: no permission \(EACCES\)/);
    fs.rename = trace.rename;
    await store.save(state(4));
    expect(await steps()).toEqual([4]);
  });

  it("can be tried again by the same store", async () => {
    const trace = faultyFileSystem();
    const fs = { ...trace };
    const store = createCheckpointStore(folder, { history: 1, fs });
    await store.save(state(1));
    fs.rename = () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }));
    expect((await failure(store.save(state(2)))).message).toContain(
      "cannot save the checkpoint: the disk is full (ENOSPC). The earlier checkpoints are untouched",
    );
    expect(names()).toEqual(["checkpoint-00000001"]);
    fs.rename = trace.rename;
    await store.save(state(2));
    expect(names()).toEqual(["checkpoint-00000002"]);
  });

  it("removes what a dead process left and leaves a living one's", async () => {
    await saved(state(1));
    mkdirSync(join(folder, ".tesserae-tmp-999999999-0-0123456789abcdef"));
    const living = `.tesserae-tmp-${process.ppid}-0-0123456789abcdef`;
    mkdirSync(join(folder, living));
    await createCheckpointStore(folder, { history: 1 }).latest();
    expect(names()).toEqual([living, "checkpoint-00000001"]);
  });
});

describe("a killed process", () => {
  it("leaves a complete checkpoint whenever it is killed", async () => {
    const module = compileForChild("node/checkpoint-store.ts", join(root, "child"));
    const script = `
      import { createCheckpointStore } from ${JSON.stringify(module)};
      const tensor = (value) => ({ dtype: "float32", shape: [400000], data: new Float32Array(400000).fill(value) });
      const store = createCheckpointStore(process.argv[1], { history: 2 });
      const start = (await store.latest())?.step ?? 0;
      for (let step = start + 1; ; step++) {
        await store.save({ step, model: new Map([["w", tensor(step)]]), optimizer: new Map([["m", tensor(-step)]]), meta: {} });
        console.log(step);
      }`;
    let reached = 0;
    for (const delay of [3, 11, 17]) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder]);
      let last = reached;
      await new Promise<void>((done) => {
        child.stdout.on("data", (text: Buffer) => {
          last = Number(text.toString().trim().split("\n").at(-1));
          if (!child.killed) setTimeout(() => child.kill("SIGKILL"), delay);
        });
        child.on("close", () => done());
      });
      const loaded = await createCheckpointStore(folder, { history: 2 }).latest();
      expect(loaded?.warnings).toEqual([]);
      expect(loaded!.step).toBeGreaterThanOrEqual(last);
      expect(last).toBeGreaterThan(reached);
      expect((loaded!.model.get("w")!.data as Float32Array).every((value) => value === loaded!.step)).toBe(true);
      expect((loaded!.optimizer.get("m")!.data as Float32Array).every((value) => value === -loaded!.step)).toBe(true);
      expect(names().filter((name) => name.startsWith("."))).toEqual([]);
      reached = loaded!.step;
    }
  });
});
