import { Command, Option } from "commander";
import type { TensorData } from "../../graph/types.ts";
import type { ModelOptions } from "../../models/index.ts";
import { settings } from "../../node/settings/index.ts";
import { count, type EngineFlags, withEngine } from "../flags.ts";
import { print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { optionOf } from "../train-flags.ts";

interface BenchFlags extends EngineFlags {
  batchSize: number;
  imgSize?: number;
  modelKwargs?: ModelOptions;
  steps: number;
  gradCheckpointing?: boolean;
  json?: boolean;
}

export const benchCommand = (): CommandDefinition => ({
  example: "bench vit_tiny_patch16_224 -b 16",
  command: withEngine(
    new Command("bench")
      .description("time a model's training step and inference here, on random images (medians)")
      .argument("[model]", "name of a model", "vit_tiny_patch16_224")
      .addOption(new Option("-b, --batch-size <n>", "images of a step").argParser(count).default(16))
      .addOption(new Option("--img-size <pixels>", "side of the images (default: the model's)").argParser(count))
      .addOption(optionOf(settings.modelOptions))
      .addOption(new Option("--steps <n>", "runs that are timed, after two that are not").argParser(count).default(10))
      .option("--grad-checkpointing", "compute activations a second time instead of keeping them all")
      .option("--json", "print one object"),
  ).action(run),
});

const WARMUP = 2;

async function run(
  name: string,
  { batchSize: batch, imgSize, modelKwargs, steps, gradCheckpointing: checkpointing, json, ...engineFlags }: BenchFlags,
): Promise<void> {
  const { createModel, initialize, trainStep, initialState, createOptimizer, optimize, inferenceProgram } =
    await import("../../index.ts");
  const { loadStep } = await import("../../train/stepper.ts");
  const { createEngine } = await import("../../node/engine.ts");
  const model = createModel(name, { ...modelKwargs, ...(imgSize !== undefined && { img_size: imgSize }) });
  const engine = await createEngine(engineFlags);
  const meter = createMeter("timing");
  const runs = 2 * (WARMUP + steps);
  let done = 0;
  /** Medians of wall and processor time, in milliseconds. */
  const timed = async (once: () => Promise<unknown>): Promise<{ wall: number; cpu: number }> => {
    const [walls, cpus]: number[][] = [[], []];
    for (let i = 0; i < WARMUP + steps; i++) {
      const [started, used] = [performance.now(), process.cpuUsage()];
      await once();
      if (i >= WARMUP) {
        const { user, system } = process.cpuUsage(used);
        walls.push(performance.now() - started);
        cpus.push((user + system) / 1000);
      }
      meter.show(++done, runs);
    }
    return { wall: median(walls), cpu: median(cpus) };
  };
  try {
    const options = { batch, optimizer: createOptimizer("adamw"), weightDecay: 0.05, clipGrad: 1, checkpointing };
    const weights = initialize(model, 0);
    const state = await engine.createState(initialState(model, weights, options));
    const started = performance.now();
    const step = await loadStep(engine, optimize(trainStep(model, options), engine.target));
    const loadMs = performance.now() - started;
    const image = {
      dtype: "uint8" as const,
      shape: [batch, ...model.inputShape],
      data: noise(batch, model.inputShape),
    };
    const target = {
      dtype: "float32" as const,
      shape: [batch, model.numClasses],
      data: targets(batch, model.numClasses),
    };
    const lr = { dtype: "float32" as const, shape: [], data: Float32Array.of(1e-4) };
    const feeds = new Map<string, TensorData>([
      ["image", image],
      ["target", target],
      ["lr", lr],
    ]);
    const { wall: trainMs, cpu: trainCpuMs } = await timed(() => step.run(feeds, { state, commit: "finite" }));
    await step.dispose();
    const inference = await engine.load(inferenceProgram(model, batch, "inputs"), { optimization: "extended" });
    const { wall: inferenceMs } = await timed(() => inference.run(new Map([["image", image]]), { state }));
    await inference.dispose();
    await state.dispose();
    meter.close();
    const peakMemoryMiB = process.resourceUsage().maxRSS / 1024;
    const rate = (ms: number) => (1000 * batch) / ms;
    const result = {
      model: name,
      device: engine.device,
      batch,
      imageSize: model.inputShape[1],
      loadMs,
      trainMs,
      trainCpuMs,
      inferenceMs,
      trainImagesPerSecond: rate(trainMs),
      inferenceImagesPerSecond: rate(inferenceMs),
      peakMemoryMiB,
    };
    if (json) return printJson(result);
    print(`${name}, ${model.inputShape.join(" x ")}, batch ${batch}, ${engine.device}`);
    print(`training step  ${trainMs.toFixed(1)} ms  ${rate(trainMs).toFixed(1)} images/s`);
    print(`inference      ${inferenceMs.toFixed(1)} ms  ${rate(inferenceMs).toFixed(1)} images/s`);
    print(`loading        ${loadMs.toFixed(0)} ms`);
    print(`peak memory    ${peakMemoryMiB.toFixed(0)} MiB`);
  } finally {
    meter.close();
    await engine.dispose();
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const noise = (batch: number, shape: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: batch * shape.reduce((a, b) => a * b) }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

/** One-hot rows. */
function targets(batch: number, classes: number): Float32Array {
  const out = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) out[i * classes + (i % classes)] = 1;
  return out;
}
