import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { train } from "../src/node/train.ts";
import { built } from "./cli/cli.ts";
import { CONVMIXER, endOf, type ImageSets, makeImageSets, VIT } from "./unbreakable/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-bits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let sets: ImageSets;
beforeAll(async () => {
  built();
  sets = await makeImageSets(folder);
});

it.each([
  ["a folder", VIT, "folder", 1],
  ["shards", CONVMIXER, "shards", 2],
] as const)(
  "a run on %s ends with the same bits with 0, 1, 2 and 3 data workers, damaged images and all",
  async (_, options, data, threads) => {
    const ends: string[] = [];
    for (const workers of [0, 1, 2, 3]) {
      const output = join(folder, `${data}-${workers}`);
      const { skipped } = await train({
        ...options,
        threads,
        workers,
        data: sets[data],
        epochs: 2,
        report: false,
        output,
      });
      expect([...skipped.values()].sort()).toEqual([
        "not an image that can be read",
        "the file is empty (zero bytes)",
        "truncated",
      ]);
      ends.push(endOf(output));
    }
    expect(new Set(ends).size).toBe(1);
    const other = join(folder, `${data}-other`);
    await train({ ...options, threads, seed: 8, data: sets[data], epochs: 2, report: false, output: other });
    expect(endOf(other)).not.toBe(ends[0]);
  },
);
