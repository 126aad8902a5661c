import * as ort from "onnxruntime-node";
import { encodeModel } from "../graph/onnx.ts";
import type { Target } from "../graph/passes/index.ts";
import { program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import { reorderInput } from "../ops/blocked.ts";

/** More channels than any processor's block, and two pixels. */
const SHAPE = [1, 64, 1, 2];

/** Two megabytes of floats: from there on, what is written has left a core's cache when it is read. */
const LARGE = 2 ** 19;

/** What programs for a device may count on: nothing but the standard, except on the processor. */
export const targetOf = async (device: string): Promise<Target> =>
  device === "cpu" ? { block: await blockOf(device), large: LARGE, inPlace: true, gelu: true } : {};

let known: Promise<number | undefined> | undefined;

/** Channels side by side in the runtime's layout for convolutions on this processor; undefined where it has none. */
export const blockOf = (device: string): Promise<number | undefined> => {
  if (device !== "cpu") return Promise.resolve(undefined);
  known ??= tryReorder().catch(() => undefined);
  return known;
};

/** Reorders one image: pixel 1 of channel 0 comes right after pixel 0 of the block's channels. */
async function tryReorder(): Promise<number | undefined> {
  const x = input("x", "float32", SHAPE);
  const { model } = encodeModel(program("block", new Map([["y", reorderInput(x, 1)]])));
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const ramp = Float32Array.from({ length: 128 }, (_, i) => i);
  const { y } = await session.run({ x: new ort.Tensor("float32", ramp, SHAPE) });
  await session.release();
  const block = (y.data as Float32Array).indexOf(1);
  const blocked = ramp.map((_, i) => {
    const [channel, pixel] = [Math.floor(i / (2 * block)) * block + (i % block), Math.floor(i / block) % 2];
    return 2 * channel + pixel;
  });
  return block > 1 && 64 % block === 0 && blocked.every((v, i) => v === y.data[i]) ? block : undefined;
}
