import { describe, expect, it } from "vitest";
import { encodeModel } from "../../src/graph/onnx.ts";
import { optimize } from "../../src/graph/passes/index.ts";
import { program } from "../../src/graph/program.ts";
import type { TensorData } from "../../src/graph/types.ts";
import { createModel, listModels } from "../../src/models/index.ts";
import { imageInput, traceModule } from "../../src/models/trace.ts";
import { createOrtBackend } from "../../src/node/ort.ts";
import { norm, relative, worstOf } from "../../src/verify/numbers.ts";
import { parityInput, parityTensor } from "../../src/verify/parity.ts";
import { hasShared, needsShared, readShared } from "../shared.ts";

interface LogitFigures {
  readonly logits_head: readonly number[];
  readonly logits_norm: number;
}

const figures: Record<string, LogitFigures> = hasShared ? JSON.parse(readShared("fixtures/logits.json")).models : {};
const known = Object.keys(figures).filter((name) => listModels().includes(name));

/** Evaluation logits of one image, every tensor filled by the parity rule. */
async function logitsOf(name: string): Promise<TensorData> {
  const model = createModel(name);
  const image = imageInput(model, 1);
  const { output } = traceModule(model.forward, image, { training: false, source: "inputs" });
  const backend = await createOrtBackend();
  const session = await backend.load(encodeModel(optimize(program(name, new Map([["logits", output]])))), {
    optimization: "extended",
  });
  const feeds = new Map<string, TensorData>(model.slots.map((s) => [s.name, parityTensor(s)]));
  const results = await session.run(feeds.set("image", parityInput("input", image.shape)));
  await session.dispose();
  await backend.dispose();
  return results.get("logits") as TensorData;
}

describe.skipIf(!hasShared)(needsShared("evaluation logits are PyTorch's to 1e-4 of the largest"), () => {
  it.each(known)("%s", async (name) => {
    const { logits_head: head, logits_norm: expected } = figures[name];
    const { data } = await logitsOf(name);
    const logits = data as Float32Array;
    const largest = Math.max(...head.map(Math.abs));
    const differences = head.map((v, i) => Math.abs(logits[i] - v) / largest);
    expect(worstOf([...differences, relative(norm(logits), expected)])).toBeLessThan(1e-4);
  });
});

describe.skipIf(!hasShared)(needsShared("the table of logits"), () => {
  it("names models of the zoo only", () => {
    expect(Object.keys(figures).filter((name) => !known.includes(name))).toEqual([]);
  });
});
