import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, it } from "vitest";
import { lastLine, scratch, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const shapes = at("shapes");

const SWEEP = `
about: A test.
method: grid
train:
  img-size: 16
  model-kwargs: { patch_size: 4, embed_dim: 16, num_heads: 2 }
  crop: pad
  batch-size: 8
  threads: 1
  workers: 0
  epochs: 2
  log-interval: 1
parameters:
  lr: [2e-3, 1e-4]
  model-kwargs.depth: [1, 2]
`;

const file = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
const sweep = (output: string, ...flags: string[]) =>
  tesserae(["sweep", file("grid.yaml", SWEEP), shapes, "--output", at(output), ...flags]);
const board = (output: string): Record<string, string>[] =>
  parse(readFileSync(at(output, "leaderboard.csv"), "utf8"), { columns: true });

interface Place {
  name: string;
  rank?: number;
  status: string;
  error?: string;
  values: Record<string, unknown>;
  figures?: { best: { top1: number }; seconds: number };
}

beforeAll(async () => {
  expect(await tesserae(["synth", shapes, "--count", "32", "--size", "16"])).toMatchObject({ code: 0 });
});

describe("sweep", () => {
  it("is interrupted, killed, and goes on: finished trials are kept, an interrupted one resumes", async () => {
    let sent = false;
    const stopped = await tesserae(["sweep", file("grid.yaml", SWEEP), shapes, "--output", at("grid")], {
      onStderr: (child, stderr) => {
        if (sent || !/trial 2\/4[\s\S]*batch 1\//.test(stderr)) return;
        sent = true;
        child.kill("SIGINT");
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(lastLine(stopped.stderr)).toBe("interrupted with 1 of 4 trials done; the same command goes on");
    expect(board("grid").map(({ status }) => status)).toEqual(["finished", "interrupted", "waiting", "waiting"]);

    let killed = false;
    const second = await tesserae(["sweep", file("grid.yaml", SWEEP), shapes, "--output", at("grid")], {
      onStderr: (child, stderr) => {
        if (killed || !/trial 3\/4[\s\S]*batch 1\//.test(stderr)) return;
        killed = true;
        child.kill("SIGKILL");
      },
    });
    expect(second.code).toBe(null);
    expect(second.stderr).not.toContain("trial 1/4");

    const done = await sweep("grid", "--json");
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).not.toContain("trial 2/4");
    const places: Place[] = JSON.parse(done.stdout);
    expect(places.map(({ status }) => status)).toEqual(new Array(4).fill("finished"));
    expect(places.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
    const top1 = places.map(({ figures }) => figures?.best.top1 as number);
    expect([...top1].sort((a, b) => b - a)).toEqual(top1);
    expect(new Set(places.map(({ values }) => JSON.stringify(values))).size).toBe(4);
    expect(board("grid").map((row) => row.trial)).toEqual(places.map(({ name }) => name));
    expect(existsSync(at("grid", "trial-003", "model.onnx"))).toBe(true);

    const again = await sweep("grid");
    expect(again.code).toBe(0);
    expect(again.stderr).not.toContain("trial ");
    expect(again.stdout).toMatch(/^rank +trial +lr +model-kwargs.depth +top-1 %/);
  });

  it("records a trial that fails and goes on", async () => {
    const text = SWEEP.replace("epochs: 2", "epochs: 1\n  max-bad-steps: 0").replace("[2e-3, 1e-4]", "[1e30, 1e-3]");
    const failing = file("failing.yaml", text.replace("[1, 2]", "[1]"));
    const output = await tesserae(["sweep", failing, shapes, "--output", at("failing"), "--json"]);
    const places: Place[] = JSON.parse(output.stdout);
    expect(places.map(({ name, status }) => [name, status])).toEqual([
      ["trial-001", "finished"],
      ["trial-000", "failed"],
    ]);
    expect(places[1].error).toMatch(/not finite|NaN/);
    expect(output.code).toBe(0);
  });

  it.each([
    [SWEEP.replace("lr: [2e-3, 1e-4]", "lr: [-1]"), /grid.yaml, trial-000: --lr must be above 0/],
    [SWEEP.replace("lr: [", "lrr: ["), /unknown key lrr. Did you mean lr/],
    [SWEEP.replace("method", "methd"), /unknown key methd. Did you mean method/],
    [SWEEP.replace("grid", "bayes"), /method must be grid or random/],
    [SWEEP.replace(/lr: .*/, "lr: {min: 1, max: 0}"), /lr needs min and max/],
    [SWEEP.replace(/lr: .*/, "output: [a, b]"), /output is the sweep's own/],
  ])("refuses what makes no sense before any trial (%#)", async (text, message) => {
    const output = await tesserae(["sweep", file("grid.yaml", text), shapes, "--output", at("refused")]);
    expect(output.code).toBe(2);
    expect(output.stderr).toMatch(message);
    expect(existsSync(at("refused"))).toBe(false);
  });

  it("refuses the folder of another sweep", async () => {
    const other = file("other.yaml", SWEEP.replace("lr: [2e-3", "lr: [3e-3"));
    const output = await tesserae(["sweep", other, shapes, "--output", at("grid")]);
    expect(output).toMatchObject({ code: 2, stderr: expect.stringContaining("holds another sweep: its trial-000") });
  });
});

describe("compare", () => {
  const runs = [at("grid", "trial-000"), at("grid", "trial-003")];

  it("tables what differs between runs, and draws their curves", async () => {
    const output = await tesserae(["compare", ...runs, "-o", at("curves.svg")]);
    expect(output.code, output.stderr).toBe(0);
    expect(output.stdout).toMatch(/^run +parameters +epochs +best/);
    expect(output.stdout).toMatch(/^lr +0.002 +0.0001$/m);
    expect(output.stdout).toMatch(/^modelOptions.depth +1 +2$/m);
    expect(output.stdout).not.toMatch(/^epochs +2 +2$/m);
    const svg = readFileSync(at("curves.svg"), "utf8");
    for (const text of ["training loss", "held-out top-1", "trial-000", "trial-003"]) expect(svg).toContain(text);
  });

  it("is JSON, and PNG by the name", async () => {
    const output = await tesserae(["compare", ...runs, "--json", "-o", at("curves.png")]);
    const { runs: figures, differences } = JSON.parse(output.stdout);
    expect(figures[0]).toMatchObject({ run: "trial-000", model: "vit_tiny_patch16_224", epochs: 2, metric: "top1" });
    expect(figures[0].best.top1).toBe(Number(board("grid").find(({ trial }) => trial === "trial-000")?.top1));
    expect(differences).toContainEqual({ name: "lr", values: [0.002, 0.0001] });
    expect(readFileSync(at("curves.png")).subarray(1, 4).toString()).toBe("PNG");
  });

  it("says which folder is no run", async () => {
    const output = await tesserae(["compare", shapes]);
    expect(output.code).toBe(1);
    expect(output.stderr).toMatch(/^error: .*shapes: is not a run folder/);
  });
});
