import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { knnEvaluation, linearProbe } from "../../src/node/probe.ts";
import { FINETUNE } from "../../src/node/settings/finetune.ts";
import { train } from "../../src/node/train.ts";
import type { TrainOptions } from "../../src/node/train-options.ts";
import { hasShared, needsShared, sharedPath } from "../shared.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-transfer-"));
const data = join(folder, "hymenoptera");
const efficientnet = sharedPath("hub/tf_efficientnet_lite0.in1k");
const dinov2 = sharedPath("hub/vit_small_patch14_dinov2.saliency");

/** Best validation top-1 of a run, and the seconds it took, evaluation included. */
async function best(name: string, options: Partial<TrainOptions>): Promise<{ top1: number; seconds: number }> {
  const started = performance.now();
  const { epochs } = await train({ ...options, data, output: join(folder, name) });
  const top1 = Math.max(...epochs.map((e) => e.val?.top1 ?? 0));
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${name}: top-1 ${top1.toFixed(2)} %, last ${epochs.at(-1)?.val?.top1.toFixed(2)} %, ${seconds.toFixed(0)} s`,
  );
  return { top1, seconds };
}

describe.skipIf(!hasShared)(needsShared("published weights on 245 photographs"), () => {
  beforeAll(() => {
    execFileSync("tar", ["xzf", sharedPath("data/hymenoptera.tar.gz"), "-C", folder]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("linear probe 94 % or better", async () => {
    const { metrics } = await linearProbe({
      data,
      pretrained: efficientnet,
      cache: false,
      output: join(folder, "probe"),
    });
    console.log(`probe: top-1 ${metrics.top1.toFixed(2)} %`);
    expect(metrics.top1).toBeGreaterThanOrEqual(94);
  });

  it("ten neighbours 95 % or better", async () => {
    const { metrics } = await knnEvaluation({ data, pretrained: efficientnet, cache: false, k: 10 });
    console.log(`knn: top-1 ${metrics.top1.toFixed(2)} %`);
    expect(metrics.top1).toBeGreaterThanOrEqual(95);
  });

  it("fine-tuning with the defaults 93.5 % or better, median of three seeds, under five minutes each", async () => {
    const runs = [];
    for (const seed of [0, 1, 2])
      runs.push(await best(`finetune-${seed}`, { ...FINETUNE, pretrained: efficientnet, seed }));
    const [, median] = runs.map((r) => r.top1).sort((a, b) => a - b);
    expect(median).toBeGreaterThanOrEqual(93.5);
    expect(Math.max(...runs.map((r) => r.seconds))).toBeLessThan(300);
  });

  it("fine-tuning DINOv2's ViT-S at 98 pixels beats it from scratch in the same time by 15 points", async () => {
    const options = { imgSize: 98, epochs: 10, seed: 0 };
    const tuned = await best("dinov2", { ...FINETUNE, ...options, pretrained: dinov2 });
    // From scratch each epoch costs the same; it gets as many as fit into the time, the probe's included.
    const one = await best("scratch-1", { model: "vit_small_patch14_dinov2", imgSize: 98, epochs: 1, seed: 0 });
    const epochs = Math.max(1, Math.round(tuned.seconds / one.seconds));
    const scratch = await best("scratch", { model: "vit_small_patch14_dinov2", imgSize: 98, epochs, seed: 0 });
    expect(tuned.top1 - scratch.top1).toBeGreaterThanOrEqual(15);
  });
});
