import { describe, expect, it } from "vitest";
import { grad } from "../autodiff/grad.ts";
import { evaluate } from "../graph/evaluate.ts";
import { type NdArray, type TensorData, toDoubles } from "../graph/types.ts";
import { sgd } from "../optim/sgd.ts";
import { trainStep } from "../train/step.ts";
import { parityInput, parityTensor } from "../verify/parity.ts";
import { createModel } from "./index.ts";
import { imageInput, traceModule } from "./trace.ts";

const options = {
  embed_dim: [8, 16],
  depths: [1, 1],
  stem_width: [8, 8],
  dim_head: 8,
  img_size: 16,
  window_size: 2,
  num_classes: 3,
};
const host = ({ shape, data }: TensorData): NdArray => ({ shape, data: toDoubles(data) });
const tiny = (more: object = {}, name = "maxvit_tiny_rw_224") => createModel(name, { ...options, ...more });

/** Parameters whose gradient is not finite, or is zero throughout. */
function faulty(more: object, name?: string): string[] {
  const model = tiny(more, name);
  const { output, slots } = traceModule(model.forward, imageInput(model, 2), { training: false, source: "inputs" });
  const parameters = [...slots].filter(([, t]) => t.dtype === "float32");
  const feeds = new Map(model.slots.map((s) => [s.name, host(parityTensor(s))]));
  feeds.set("image", host(parityInput("input", [2, 3, 16, 16])));
  const gradients = evaluate(
    grad(
      output.square().sum(),
      parameters.map(([, t]) => t),
    ),
    feeds,
  );
  return parameters.flatMap(([name], i) => {
    const g = gradients[i].data;
    // One number more for every pair of tokens, which a softmax does not see: zero but for rounding.
    const unseen = name.endsWith("rel_pos.mlp.fc2.bias");
    return g.every(Number.isFinite) && g.some((v) => Math.abs(v) > 1e-10) !== unseen ? [] : [name];
  });
}

describe("MaxViT", () => {
  it.each([
    {},
    { mbconv: false },
    { block_attn: false },
    { grid_attn: false },
    { pos_embed: "absolute" },
    { pos_embed: "none" },
    { rel_pos_type: "mlp" },
    { init_values: 0.1, head_hidden_size: 4 },
    { grid_size: [1, 2] },
  ])("reaches every parameter with %j", (more) => {
    expect(faulty(more)).toEqual([]);
  });

  it("reaches every parameter in TensorFlow's form", () => {
    expect(faulty({ head_hidden_size: 4 }, "maxvit_tiny_tf_224")).toEqual([]);
  });

  it("leaves out what it is told to", () => {
    const has = (part: string, more: object) => tiny(more).slots.some((s) => s.name.includes(part));
    expect(has("conv2_kxk", {})).toBe(true);
    expect(has("conv2_kxk", { mbconv: false })).toBe(false);
    expect(has("conv.shortcut.expand", { mbconv: false })).toBe(true);
    expect(has("attn_block", { block_attn: false })).toBe(false);
    expect(has("attn_grid", { grid_attn: false })).toBe(false);
    expect(has("rel_pos", { pos_embed: "none" })).toBe(false);
    expect(has("stages.1.pos_embed", { pos_embed: "absolute" })).toBe(true);
  });

  it("says which images and windows fit", () => {
    expect(() => createModel("maxvit_tiny_rw_224", { img_size: 100 })).toThrow(
      /multiple of 32.*nearest that fits is 96x96/,
    );
    expect(() => createModel("maxvit_tiny_rw_224", { window_size: 4 })).toThrow(/does not divide the map of 14x14/);
    expect(() => tiny({ dim_head: 5 })).toThrow(/dim_head=5/);
  });

  it("pools its maps, or gives them", () => {
    const shape = (more: object) => {
      const model = tiny(more);
      return traceModule(model.forward, imageInput(model, -1), { training: false, source: "inputs" }).output.shape;
    };
    expect(shape({ num_classes: 0 })).toEqual([-1, 16]);
    expect(shape({ num_classes: 0, global_pool: "" })).toEqual([-1, 16, 2, 2]);
    expect(shape({ num_classes: 0, global_pool: "", head_hidden_size: 4 })).toEqual([-1, 2, 2, 4]);
  });

  it("drops inside windows, which fold into the batch", () => {
    const model = tiny({ attn_drop_rate: 0.1, proj_drop_rate: 0.1, drop_path_rate: 0.1, drop_rate: 0.1 });
    expect(() => trainStep(model, { batch: 2, optimizer: sgd() })).not.toThrow();
  });
});
