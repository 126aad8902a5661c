import { describe, expect, it } from "vitest";
import { createModel } from "../src/models/index.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { parseFixture } from "../src/verify/fixture.ts";
import { verifyModel } from "../src/verify/verify-model.ts";
import { hasShared, needsShared, readShared } from "./shared.ts";

/** One small network of a kind; `npm run verify:all` runs every fixture. */
const NAMES = [
  "vit_tiny_patch16_224-global_pool=avg-class_token=False-num_classes=10-img_size=64",
  "vit_tiny_patch16_224",
  "vit_tiny_r_s16_p8_224",
  "deit_tiny_distilled_patch16_224",
  "swin_tiny_patch4_window7_224",
  "pvt_tiny",
  "pvt_v2_b0",
  "mixer_s32_224",
  "resnet18",
  "mobilenetv3_small_100",
  "tf_efficientnet_b0",
  "maxvit_nano_rw_256",
  "axial26s",
];

describe.skipIf(!hasShared)(needsShared("logits, losses and gradients equal float64 PyTorch"), () => {
  it.each(NAMES)("%s", { timeout: 120_000 }, async (name) => {
    const file = `fixtures/${name}.json`;
    const fixture = parseFixture(readShared(file), file);
    if (fixture.kind !== "model") throw new Error(`${file} is no model's fixture`);
    const { model, options } = fixture.figures;
    const report = await verifyModel(createModel(model, options), fixture.figures, await createOrtBackend());
    expect(report.ok, JSON.stringify(report)).toBe(true);
  });
});
