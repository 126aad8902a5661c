import { describe, expect, it } from "vitest";
import {
  byMetric,
  type CheckpointInfo,
  type CheckpointManifest,
  checkpointFolder,
  decodeManifest,
  encodeManifest,
  isCheckpointFolder,
  superfluous,
} from "./checkpoint.ts";

/** Not a real hash: enough to see that it is used. */
const hash = (text: string) => {
  let sum = 7;
  for (const char of text) sum = (sum * 31 + char.codePointAt(0)!) % 2 ** 40;
  return sum.toString(16).padStart(64, "0");
};

const record = { bytes: 8, sha256: "ab" };
const manifest: CheckpointManifest = {
  step: 3,
  sequence: 7,
  metric: 0.25,
  files: { model: record, optimizer: record },
  meta: { note: '"checksum": "$1"\n}\n', seeds: [1, 2] },
};

const info = (step: number, metric?: number, sequence = step): CheckpointInfo => ({
  path: `c${sequence}`,
  step,
  sequence,
  metric,
});
const stepsOf = (list: CheckpointInfo[]) => list.map(({ step }) => step);

describe("a checkpoint's manifest", () => {
  it("comes back as it was encoded", () => {
    expect(decodeManifest(encodeManifest(manifest, hash), hash, "m")).toEqual(manifest);
    const { metric: _, ...bare } = manifest;
    expect(decodeManifest(encodeManifest({ ...manifest, metric: Number.NaN }, hash), hash, "m")).toEqual(bare);
  });

  const forge = (edit: (text: string) => string) => {
    const zeros = edit(encodeManifest(manifest, () => "0".repeat(64)));
    return zeros.replace(/0{64}(?="\n\}\n$)/, hash(zeros));
  };

  it.each([
    ["a changed step", () => encodeManifest(manifest, hash).replace('"step": 3', '"step": 4'), "checksum does not fit"],
    ["a text cut short", () => encodeManifest(manifest, hash).slice(0, -2), "cut short"],
    ["nothing", () => "", "cut short"],
    ["another version", () => forge((text) => text.replace('"version": 1', '"version": 2')), "version 2"],
    ["another format", () => forge((text) => text.replace("tesserae-checkpoint", "other")), "not a checkpoint"],
    ["a negative step", () => forge((text) => text.replace('"step": 3', '"step": -3')), "lacks a field"],
    ["a metric as text", () => forge((text) => text.replace('"metric": 0.25', '"metric": "1"')), "metric"],
    ["a file left out", () => forge((text) => text.replace("model.safetensors", "other")), "lacks a field"],
    ["bad JSON under a good checksum", () => forge((text) => `,${text}`), "not JSON"],
    ["a list", () => forge((text) => text.replace('"files": {', '"files": 1, "_": {')), "lacks a field"],
  ])("is refused with %s", (_, text, says) => {
    expect(() => decodeManifest(text(), hash, "m")).toThrow(says);
  });
});

describe("which checkpoints stay", () => {
  const drop = (list: CheckpointInfo[], history: number) => stepsOf(superfluous(list, { history, better: "higher" }));

  it("is the newest ones and the best", () => {
    expect(drop([info(1, 0.9), info(2, 0.1), info(3, 0.2), info(4, 0.3)], 2)).toEqual([2]);
    expect(drop([info(1), info(2), info(3)], 1)).toEqual([1, 2]);
    expect(drop([info(1, 0.5), info(2, 0.5)], 1)).toEqual([]);
    expect(drop([info(1, 0.5), info(2, 0.5), info(3, 0.5)], 1)).toEqual([2]);
    expect(drop([], 1)).toEqual([]);
  });

  it("counts as newest what was saved last, in any order of the list", () => {
    expect(drop([info(30, 0, 2), info(10, 0, 1), info(20, 0, 3)], 1)).toEqual([30]);
  });

  it("drops earlier saves of the same step", () => {
    expect(superfluous([info(5, 0.9, 1), info(5, 0.1, 2)], { history: 9, better: "higher" })).toEqual([
      info(5, 0.9, 1),
    ]);
  });

  it("orders by metric, the earlier first where equal", () => {
    const list = [info(1, 0.5), info(2), info(3, 0.7), info(4, 0.5)];
    expect(stepsOf(byMetric(list, "higher"))).toEqual([3, 1, 4]);
    expect(stepsOf(byMetric(list, "lower"))).toEqual([1, 4, 3]);
  });
});

describe("a checkpoint's folder", () => {
  it("sorts by step as text and is told from other folders", () => {
    expect([9, 100, 123456789].map((step) => checkpointFolder(step))).toEqual([
      "checkpoint-00000009",
      "checkpoint-00000100",
      "checkpoint-123456789",
    ]);
    expect([checkpointFolder(1), checkpointFolder(1, 2)].every(isCheckpointFolder)).toBe(true);
    expect(["checkpoint-5", "checkpoint-best", ".tesserae-tmp-1"].some(isCheckpointFolder)).toBe(false);
  });
});
