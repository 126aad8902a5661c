import { describe, expect, it } from "vitest";
import { sgd } from "../optim/sgd.ts";
import { trainStep } from "../train/step.ts";
import { createModel } from "./index.ts";
import { imageInput, traceModule } from "./trace.ts";

const options = { embed_dim: 8, depths: [2, 2], num_heads: [2, 4], num_classes: 3, window_size: 4, img_size: 40 };

describe.each(["swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256"])("%s", (name) => {
  const more = name.startsWith("swinv2") ? { pretrained_window_sizes: [0, 0] } : {};
  const make = (o: object = {}) => createModel(name, { ...options, ...more, ...o });

  it("halves odd maps and cuts maps of no whole number of windows", () => {
    const model = make({ img_size: [36, 20] }); // 9 x 5, then 5 x 3
    const { output } = traceModule(model.pyramid, imageInput(model, -1), { training: false, source: "inputs" });
    expect(output.map((t) => t.shape)).toEqual([
      [-1, 8, 9, 5],
      [-1, 16, 5, 3],
    ]);
    expect(model.featureInfo.map((f) => f.reduction)).toEqual([4, 8]);
  });

  it("takes one window, its two sides, or one a stage", () => {
    const three = {
      depths: [1, 1, 1],
      num_heads: [2, 2, 2],
      ...(more.pretrained_window_sizes && { pretrained_window_sizes: [0, 0, 0] }),
    };
    for (const window_size of [3, [2, 3], [2, 3, 4]]) expect(() => make({ ...three, window_size })).not.toThrow();
    expect(() => make({ ...three, window_size: [2, 3, 4, 5] })).toThrow(/one side, a height and a width, or 3 sides/);
  });

  it("drops inside windows, which fold into the batch", () => {
    const model = make({ attn_drop_rate: 0.1, proj_drop_rate: 0.1, drop_path_rate: 0.1, drop_rate: 0.1 });
    expect(() => trainStep(model, { batch: 2, optimizer: sgd() })).not.toThrow();
  });

  it("says what does not fit", () => {
    expect(() => make({ img_size: 42 })).toThrow(/nearest that fits is 44x44|nearest that fits is 40x40/);
    expect(() => make({ num_heads: [3, 4] })).toThrow(/3 heads do not divide the width 8/);
    expect(() => make({ num_heads: [2, 4, 8] })).toThrow(/num_heads takes 2/);
    expect(() => make({ global_pool: "token" })).toThrow(/not pooled by "token"/);
  });
});

it("Swin's tables shrink with the windows", () => {
  const table = (img_size: number) =>
    createModel("swin_tiny_patch4_window7_224", { img_size })
      .slots.filter((s) => s.name.endsWith("bias_table"))
      .map((s) => Math.sqrt(s.shape[0]));
  expect(table(224)).toEqual(Array(12).fill(13));
  expect(table(64)).toEqual([13, 13, 13, 13, 7, 7, 7, 7, 7, 7, 3, 3]);
});
