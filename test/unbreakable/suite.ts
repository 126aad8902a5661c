import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { built } from "../cli/cli.ts";
import { type Kills, killAndResume } from "./killed.ts";
import { CONVMIXER, type ImageSets, makeImageSets, VIT } from "./runs.ts";

/** Kills so many processes at moments of a seed, half of them on a folder and half on shards. */
export const describeKills = (moments: number, seed: number) =>
  describe(`runs killed at ${moments} moments of seed ${seed} end with the weights of one never killed`, () => {
    const folder = mkdtempSync(join(tmpdir(), "tesserae-killed-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const shared = { workers: 2, recoveryInterval: 2, recordInterval: 1 };
    const ends: Record<string, Kills> = {};

    beforeAll(async () => {
      built();
      const data: ImageSets = await makeImageSets(folder);
      const cases = {
        folder: { ...VIT, ...shared, data: data.folder, epochs: 4 },
        shards: { ...CONVMIXER, ...shared, data: data.shards, epochs: 8, rollbackOnSpike: 1.01 },
      };
      await Promise.all(
        Object.entries(cases).map(async ([name, options], i) => {
          ends[name] = await killAndResume({
            kills: moments / 2,
            seed: seed + 1000 * i,
            folder: join(folder, `of-${name}`),
            options,
          });
        }),
      );
    }, 3_600_000);

    it.each(["folder", "shards"])("on a %s", (name) => {
      const { expected, ends: all, kills, inSaves } = ends[name];
      console.info(
        `${name}: ${kills} kills, ${inSaves} of them at calls after the beginning of a save, in ${all.length} runs`,
      );
      expect(kills).toBeGreaterThanOrEqual(moments / 2);
      expect(inSaves).toBeGreaterThan(moments / 10);
      expect(all).toEqual(all.map(() => expected));
    });

    it("rolled back ones too, whose journal tells the same", () => {
      const rollbacks = (run: string) =>
        readFileSync(join(folder, "of-shards", run, "metrics.jsonl"), "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
          .filter(({ type }) => type === "rollback")
          .map(({ time: _, ...facts }) => facts);
      expect(rollbacks("never").length).toBeGreaterThan(0);
      expect(rollbacks("run0")).toEqual(rollbacks("never"));
    });

    it("leaves the same summary", () => {
      const summary = (run: string) => readFileSync(join(folder, run, "summary.csv"), "utf8");
      for (const of of ["of-folder", "of-shards"]) expect(summary(`${of}/run0`)).toBe(summary(`${of}/never`));
    });
  });
