import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { evaluate } from "../src/graph/evaluate.ts";
import { input, type Tensor } from "../src/graph/tensor.ts";
import { type NdArray, type TensorData, toDoubles } from "../src/graph/types.ts";
import { createModel } from "../src/models/index.ts";
import { traceModule } from "../src/models/trace.ts";
import { type Module, slotsOf } from "../src/nn/module.ts";
import { parityInput, parityTensor } from "../src/verify/parity.ts";
import { ConvMixer } from "./convmixer-280.ts";

const [width, depth, kernel, patch, classes] = [8, 2, 3, 2, 5];
const model = createModel("convmixer", {
  dim: width,
  depth,
  kernel_size: kernel,
  patch_size: patch,
  num_classes: classes,
  img_size: 8,
});

const host = ({ shape, data }: TensorData): NdArray => ({ shape, data: toDoubles(data) });

/** Logits in float64; the i-th tensor of the state dict takes the value of the model's i-th, whatever its name. */
function logits(root: Module<[x: Tensor], Tensor>, training: boolean): Float64Array {
  const image = parityInput("input", [2, 3, 8, 8]);
  const { output } = traceModule(root, input("image", "float32", image.shape), { training, source: "inputs" });
  const feeds = new Map(slotsOf(root).map((slot, i) => [slot.name, host(parityTensor(model.slots[i]))]));
  return evaluate([output], feeds.set("image", host(image)))[0].data;
}

it("the paper's model fits in 280 characters", () => {
  const source = readFileSync(fileURLToPath(new URL("convmixer-280.ts", import.meta.url)), "utf8");
  expect(source.slice(source.indexOf("export const")).trim().length).toBeLessThanOrEqual(280);
});

it.each([false, true])("the model in 280 characters equals the family's (training: %s)", (training) => {
  const short = ConvMixer([width, depth, kernel, patch, classes]);
  expect(slotsOf(short).map((s) => s.shape)).toEqual(model.slots.map((s) => s.shape));
  expect(logits(short, training)).toEqual(logits(model.forward, training));
});
