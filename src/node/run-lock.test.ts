import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "./process-identity.ts";
import { acquireRunLock } from "./run-lock.ts";
import { compileForChild } from "./test-child.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-lock-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let module = "";
beforeAll(() => {
  module = compileForChild("node/run-lock.ts", join(root, "child"));
});

let count = 0;
let folder = "";
let lock = "";
beforeEach(() => {
  folder = join(root, `run${count++}`);
  lock = join(folder, ".tesserae-lock");
});

/** Starts a process that takes the lock, prints "locked" or the error, then does `then`. */
function contender(then: string) {
  const script = `
    import { acquireRunLock } from ${JSON.stringify(module)};
    try { acquireRunLock(${JSON.stringify(folder)}); console.log("locked"); } catch (error) { console.log(error.message); }
    ${then}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const closed = new Promise<void>((done) => child.on("close", () => done()));
  const said = new Promise<string>((done) => child.stdout.once("data", (text: Buffer) => done(text.toString().trim())));
  return { child, closed, said };
}

const writeLock = (owner: { pid: number; start: string; host: string } | string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(lock, typeof owner === "string" ? owner : JSON.stringify(owner));
};

describe("the lock of a run folder", () => {
  it("refuses a second holder until released", () => {
    const first = acquireRunLock(folder);
    expect(() => acquireRunLock(folder)).toThrow(`${folder}: run folder is in use by process ${process.pid}.`);
    first.release();
    expect(existsSync(lock)).toBe(false);
    acquireRunLock(folder).release();
  });

  it("is held against another process and goes when that exits", async () => {
    const { child, closed, said } = contender("process.stdin.once('data', () => process.exit(0));");
    expect(await said).toBe("locked");
    expect(() => acquireRunLock(folder)).toThrow(`run folder is in use by process ${child.pid}`);
    child.stdin.write("x");
    await closed;
    expect(existsSync(lock)).toBe(false);
  });

  it("is taken over from a killed process", async () => {
    const { child, closed, said } = contender("setInterval(() => {}, 1000);");
    await said;
    child.kill("SIGKILL");
    await closed;
    expect(existsSync(lock)).toBe(true);
    const taken = acquireRunLock(folder);
    expect(JSON.parse(readFileSync(lock, "utf8")).pid).toBe(process.pid);
    taken.release();
  });

  it("goes to one of several processes that find it stale", async () => {
    writeLock({ pid: 999999999, start: "0", host: hostname() });
    const all = [1, 2, 3, 4].map(() => contender("process.stdin.once('data', () => process.exit(0));"));
    const said = await Promise.all(all.map((each) => each.said));
    expect(said.filter((text) => text === "locked")).toHaveLength(1);
    for (const text of said) expect(text).toMatch(/^locked$|run folder is in use by/);
    for (const { child } of all) child.stdin.write("x");
    await Promise.all(all.map(({ closed }) => closed));
  });

  it.skipIf(startOf(process.pid) === "0")("is stale where a later process has got the same id", () => {
    writeLock({ pid: process.pid, start: startOf(process.pid).replace(/\d+$/, "1"), host: hostname() });
    acquireRunLock(folder).release();
  });

  it("of another machine is never taken over", () => {
    writeLock({ pid: 999999999, start: "0", host: "elsewhere" });
    expect(() => acquireRunLock(folder)).toThrow(/in use by process 999999999 on elsewhere\. .*if it is gone, delete/);
  });

  it("without content counts as held for a moment only", () => {
    writeLock("");
    expect(() => acquireRunLock(folder)).toThrow("in use by another process");
    const past = Date.now() / 1000 - 60;
    utimesSync(lock, past, past);
    acquireRunLock(folder).release();
  });

  it("is not removed by one who has lost it", () => {
    const first = acquireRunLock(folder);
    writeLock({ pid: 1, start: "0", host: "elsewhere" });
    first.release();
    expect(existsSync(lock)).toBe(true);
  });

  it("says where the folder cannot be made", () => {
    writeFileSync(folder, "a file");
    expect(() => acquireRunLock(folder)).toThrow(`${folder}: cannot lock the run folder: `);
  });
});
