import { describe, expect, it } from "vitest";
import { begun, both } from "./ahead.ts";

/** 1, 2, 3, and what became of it. */
function counted(failing?: number) {
  const log: string[] = [];
  async function* items() {
    try {
      for (let i = 1; i <= 3; i++) {
        log.push(`making ${i}`);
        if (i === failing) throw new Error(`no ${i}`);
        yield i;
      }
    } finally {
      log.push("closed");
    }
  }
  return { log, items: items() };
}

describe("items begun", () => {
  it("are the same, and the first is made before it is asked for", async () => {
    const { log, items } = counted();
    const ahead = begun(items);
    expect(log).toEqual(["making 1"]);
    const seen: number[] = [];
    for await (const item of ahead) seen.push(item);
    expect(seen).toEqual([1, 2, 3]);
  });

  it("close what they come from where a loop ends early", async () => {
    const { log, items } = counted();
    for await (const _ of begun(items)) break;
    expect(log).toEqual(["making 1", "closed"]);
  });

  it("report a failure to who asks", async () => {
    const ahead = begun(counted(1).items);
    await new Promise((done) => setTimeout(done));
    await expect(ahead[Symbol.asyncIterator]().next()).rejects.toThrow("no 1");
  });
});

describe("both", () => {
  const made = (log: string[], name: string) => ({ dispose: async () => void log.push(`${name} gone`) });

  it("are given together", async () => {
    const [a, b] = [made([], "a"), made([], "b")];
    expect(await both(Promise.resolve(a), Promise.resolve(b))).toEqual([a, b]);
    expect(await both(Promise.resolve(undefined), Promise.resolve(b))).toEqual([undefined, b]);
  });

  it("leave nothing behind where one fails", async () => {
    const log: string[] = [];
    const late = new Promise<ReturnType<typeof made>>((done) => setTimeout(() => done(made(log, "late")), 5));
    await expect(both(late, Promise.reject(new Error("no state")))).rejects.toThrow("no state");
    expect(log).toEqual(["late gone"]);
  });
});
