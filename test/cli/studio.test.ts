import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildStudioPage } from "../studio-runs.ts";
import { main, scratch, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);

beforeAll(() => {
  buildStudioPage();
  mkdirSync(at("runs"));
  writeFileSync(at("file.txt"), "");
});

let child: ChildProcess | undefined;
afterAll(() => child?.kill("SIGKILL"));

/** Starts the command; resolves with its first line on stdout. */
function start(...flags: string[]): Promise<string> {
  child = spawn(process.execPath, [main, "studio", at("runs"), ...flags], { stdio: ["ignore", "pipe", "ignore"] });
  return new Promise((resolve, reject) => {
    child?.stdout?.setEncoding("utf8").once("data", resolve);
    child?.once("exit", (code) => reject(new Error(`ended with ${code}`)));
  });
}

describe("tesserae studio", () => {
  it("prints where to look, answers there, and ends by Ctrl-C with 0", async () => {
    const { url, port, token } = JSON.parse(await start("--json"));
    expect(url).toBe(`http://127.0.0.1:${port}/#token=${token}`);
    expect(token).toMatch(/^[\w-]{43}$/);
    const headers = { authorization: `Bearer ${token}` };
    const runs = await fetch(`http://127.0.0.1:${port}/api/runs`, { headers });
    expect(await runs.json()).toEqual([]);
    // A page that is open keeps nothing alive.
    const stream = await fetch(`http://127.0.0.1:${port}/api/events`, { headers });
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill("SIGINT");
    expect(await ended).toBe(0);
    await stream.text().catch(() => {});
  });

  it("says what is wrong in one line", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => busy.once("listening", resolve));
    const { port } = busy.address() as { port: number };
    const lines: [string[], RegExp, number][] = [
      [[at("none")], /none: there is no such folder\. Name a run folder/, 2],
      [[at("file.txt")], /file\.txt: is not a folder/, 2],
      [[at("runs"), "--host", "0.0.0.0"], /0\.0\.0\.0: is not an address of this machine alone/, 2],
      [[at("runs"), "--port", "70000"], /70000: is not a port/, 2],
      [[at("runs"), "--port", "x"], /It is not a number/, 2],
      [[at("runs"), "--port", String(port)], /the port is in use\. Choose another with --port/, 1],
    ];
    for (const [words, says, expected] of lines) {
      const { code, stdout, stderr } = await tesserae(["studio", ...words]);
      expect(stderr).toMatch(says);
      expect(stderr.trimEnd().split("\n"), stderr).toHaveLength(1);
      expect([code, stdout]).toEqual([expected, ""]);
    }
    busy.close();
  });
});
