import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheLimit } from "./cache-limit.ts";
import { cachedFeatures, keepFeatures } from "./feature-cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tesserae-features-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rows = (count: number) => ({
  values: Float32Array.from({ length: 64 * count }, Math.sin),
  dim: 64,
  rows: Int32Array.from({ length: count }, (_, i) => i),
});
const fileOf = (key: string) => join(folder, "features", `${key}.safetensors`);
const kept = () => readdirSync(join(folder, "features")).sort();

/** Says that a key was used so many seconds ago. */
const used = (key: string, ago: number) => utimesSync(fileOf(key), Date.now() / 1000 - ago, Date.now() / 1000 - ago);

describe("kept features", () => {
  it("make room for new ones: those used least recently go first, and reading is use", async () => {
    await keepFeatures("a", rows(10), { folder });
    const size = statSync(fileOf("a")).size;
    const limit = 3 * size;
    for (const key of ["b", "c"]) await keepFeatures(key, rows(10), { folder, limit });
    used("a", 300);
    used("b", 200);
    used("c", 100);
    expect(await cachedFeatures("a", folder)).toMatchObject({ dim: 64 });
    await keepFeatures("d", rows(10), { folder, limit });
    expect(kept()).toEqual(["a.safetensors", "c.safetensors", "d.safetensors"]);
  });

  it("larger than the limit are kept alone, and files of others are left", async () => {
    await keepFeatures("a", rows(10), { folder });
    writeFileSync(join(folder, "features", "notes.txt"), "mine");
    await keepFeatures("b", rows(100), { folder, limit: 1 });
    expect(kept()).toEqual(["b.safetensors", "notes.txt"]);
    expect(existsSync(fileOf("b"))).toBe(true);
  });

  it("have a limit in MiB", () => {
    expect(cacheLimit({})).toBe(4096 * 2 ** 20);
    expect(cacheLimit({ TESSERAE_CACHE_LIMIT: "10" })).toBe(10 * 2 ** 20);
    expect(() => cacheLimit({ TESSERAE_CACHE_LIMIT: "10 GB" })).toThrow("TESSERAE_CACHE_LIMIT is a number of MiB");
  });
});
