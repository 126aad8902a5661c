import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tesserae } from "./cli.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-lr-"));
const at = (name: string) => join(folder, name);
const SMALL = ["--img-size", "16", "--model-kwargs", "patch_size=4", "embed_dim=16", "depth=2", "num_heads=2"];

describe("lr-find", () => {
  it("ramps the rate, stops where the loss diverges, and writes curve and picture", async () => {
    await tesserae(["synth", at("shapes"), "--count", "64", "--seed", "3", "--size", "16"]);
    const words = ["lr-find", at("shapes"), ...SMALL, "-b", "16", "-j", "0", "--num-it", "30", "--opt", "sgd"];
    const wild = ["--start-lr", "1e-3", "--end-lr", "1e6", "--clip-grad", "off"];
    const files = ["--csv", at("lr.csv"), "--plot", at("lr.svg"), "--json"];
    const { code, stdout } = await tesserae([...words, ...wild, ...files]);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.diverged).toBe(true);
    expect(result.trials.length).toBeLessThan(30);
    expect(result.trials[1].lr / result.trials[0].lr).toBeCloseTo(10 ** (9 / 29), 5);
    const rows = readFileSync(at("lr.csv"), "utf8").trim().split("\n");
    expect(rows).toHaveLength(1 + result.trials.length);
    expect(rows[0]).toBe("step,lr,loss,smoothed");
    expect(readFileSync(at("lr.svg"), "utf8")).toMatch(/^<svg/);
  });
});
