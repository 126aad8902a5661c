import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { optimize } from "../../graph/passes/index.ts";
import type { Tunable } from "../../graph/passes/tuned-forms.ts";
import { program } from "../../graph/program.ts";
import { apply, input } from "../../graph/tensor.ts";
import type { Backend, Session, State } from "../../runtime/backend.ts";
import { type Measured, measureForms } from "./measure.ts";
import { FormStore } from "./store.ts";
import { planOf, Tuner, tuneBeside } from "./tuner.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-forms-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newStore = (threads = 2, folder = join(root, `${folders++}`)) =>
  new FormStore({ runtime: "1.0", threads, block: 8 }, folder);

/** What a program of one weight gradient with two forms asks; `batch` 64 makes it heavy. */
function ask(tuner: Tuner, batch = 64): void {
  const [x, dy] = [input("x", "float32", [batch, 64, 16, 16]), input("dy", "float32", [batch, 64, 16, 16])];
  const dw = apply("ConvWeightGrad", [x, dy], { kernel_shape: [1, 1] });
  optimize(program("gradient", new Map([["dw", dw]])), { form: tuner.choose });
}

function tunableOf(batch: number): Tunable {
  const tuner = new Tuner({});
  ask(tuner, batch);
  return tuner.heavy[0];
}

/** A backend whose programs take the times given, in the order in which they are loaded: the rule's first. */
function clocked(times: readonly ((run: number) => number)[]): Backend & { readonly log: string[] } {
  const log: string[] = [];
  let loaded = 0;
  const state = { dispose: async () => void log.push("state gone") } as unknown as State;
  const load = async (): Promise<Session> => {
    const own = loaded++;
    let run = 0;
    return {
      run: async () => new Map(),
      time: async () => {
        log.push(`run ${own}`);
        const ms = times[own](run++);
        return { ms, spent: ms };
      },
      dispose: async () => void log.push(`session ${own} gone`),
    };
  };
  return { device: "cpu", log, load, createState: async () => state, dispose: async () => {} };
}

const always = (ms: number) => () => ms;

describe("measuring an operator's forms", () => {
  it("finds the form that beats the rule's, which is measured once", async () => {
    const backend = clocked([always(10), always(5)]);
    expect(await measureForms(tunableOf(64), backend)).toEqual({
      form: "productPerTap",
      ms: { rule: 10, productPerTap: 5 },
    });
    expect(backend.log.slice(-3)).toEqual(["session 0 gone", "session 1 gone", "state gone"]);
  });

  it("does not believe gains below a tenth", async () => {
    expect((await measureForms(tunableOf(64), clocked([always(10), always(9.5)]))).form).toBeNull();
  });

  it("does not believe a form that is faster now and then", async () => {
    const erratic = (run: number) => (run % 3 === 0 ? 12 : 5);
    expect((await measureForms(tunableOf(64), clocked([always(10), erratic]))).form).toBeNull();
  });

  it("stops early where no form comes near", async () => {
    const short = clocked([always(10), always(20)]);
    const long = clocked([always(10), always(9.5)]);
    for (const backend of [short, long]) await measureForms(tunableOf(64), backend);
    expect(short.log.length).toBeLessThan(long.log.length);
  });

  it("waits after each run for as long as it is told", async () => {
    const waited: number[] = [];
    await measureForms(tunableOf(64), clocked([always(10), always(20)]), async (ms) => void waited.push(ms));
    expect(waited.slice(0, 2)).toEqual([10, 20]);
  });

  it("leaves nothing behind where a program fails", async () => {
    const backend = clocked([always(10), () => Number.NaN]);
    const failing = { ...backend, load: async () => Promise.reject(new Error("no memory")) };
    await expect(measureForms(tunableOf(64), failing)).rejects.toThrow("no memory");
    expect(backend.log).toEqual(["state gone"]);
  });
});

describe("what was measured", () => {
  const measured: Measured = { form: "phases", ms: { rule: 3, phases: 2 } };

  it("is kept, beside what was there", async () => {
    const store = newStore();
    await store.add("a", measured);
    await store.add("b", { ...measured, form: null });
    expect(planOf(await store.read())).toEqual({ a: "phases" });
    expect((await store.read()).size).toBe(2);
  });

  it("is apart for other threads", async () => {
    const folder = join(root, "shared");
    await newStore(2, folder).add("a", measured);
    expect((await newStore(4, folder).read()).size).toBe(0);
  });

  it("counts as none where the file is damaged, and entries that are none are passed over", async () => {
    const store = newStore();
    await store.add("a", measured);
    writeFileSync(store.path, readFileSync(store.path, "utf8").slice(0, 20));
    expect((await store.read()).size).toBe(0);
    writeFileSync(store.path, JSON.stringify({ a: measured, b: 7, c: { form: 1, ms: {} }, d: null }));
    expect([...(await store.read()).keys()]).toEqual(["a"]);
  });
});

describe("tuning beside a run", () => {
  it("answers by the plan, which measuring does not change", async () => {
    const { key } = tunableOf(64);
    const tuner = new Tuner({ [key]: "phases" });
    expect(tuner.choose({ ...tunableOf(64) })).toBe("phases");
    expect(tuner.choose({ ...tunableOf(64), key: "constructor" })).toBeUndefined();
  });

  it("measures heavy operators only, and what is not known", async () => {
    const [tuner, store] = [new Tuner({}), newStore()];
    ask(tuner, 64);
    ask(tuner, 1);
    ask(tuner, 96);
    await store.add(tunableOf(96).key, { form: null, ms: {} });
    const backend = clocked([always(0.1), always(0.05)]);
    const tuning = tuneBeside(tuner, backend, store);
    await expect.poll(async () => planOf(await store.read())).toEqual({ [tunableOf(64).key]: "productPerTap" });
    expect(await tuning.stop()).toEqual([{ form: "productPerTap", ms: { rule: 0.1, productPerTap: 0.05 } }]);
  });

  it("stops when the run does, in the middle of an operator", async () => {
    const [tuner, store] = [new Tuner({}), newStore()];
    ask(tuner);
    const backend = clocked([always(1e6), always(1e6)]);
    const tuning = tuneBeside(tuner, backend, store);
    await expect.poll(() => backend.log.length).toBe(1);
    expect(await tuning.stop()).toEqual([]);
    expect(backend.log).toContain("state gone");
    expect((await store.read()).size).toBe(0);
  });

  it("ends without a word where the backend fails", async () => {
    const tuner = new Tuner({});
    ask(tuner);
    const backend = { ...clocked([]), createState: async () => Promise.reject(new Error("no memory")) };
    expect(await tuneBeside(tuner, backend, newStore()).stop()).toEqual([]);
  });

  it("does nothing on other devices", async () => {
    const tuner = new Tuner({});
    ask(tuner);
    const backend = { ...clocked([]), device: "webgpu" };
    expect(await tuneBeside(tuner, backend, newStore()).stop()).toEqual([]);
    expect(backend.log).toEqual([]);
  });
});
