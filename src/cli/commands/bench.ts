import { Command, Option } from "commander";
import { count, withEngine } from "../flags.ts";
import { print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { type SampleFlags, sampleModel, withSample } from "../sample-flags.ts";

interface BenchFlags extends SampleFlags {
  steps: number;
  gradCheckpointing?: boolean;
  json?: boolean;
}

export const benchCommand = (): CommandDefinition => ({
  example: "bench vit_tiny_patch16_224 -b 16",
  command: withEngine(
    withSample(
      new Command("bench")
        .description("time a model's training step and inference here, on random images (medians)")
        .argument("[model]", "name of a model", "vit_tiny_patch16_224"),
    )
      .addOption(new Option("--steps <n>", "runs that are timed, after two that are not").argParser(count).default(10))
      .option("--grad-checkpointing", "compute activations a second time instead of keeping them all")
      .option("--json", "print one object"),
  ).action(run),
});

const WARMUP = 2;

async function run(name: string, flags: BenchFlags): Promise<void> {
  const { batchSize: batch, steps, gradCheckpointing: checkpointing, json } = flags;
  const { createEngine } = await import("../../node/engine.ts");
  const { sampleInference, sampleStep } = await import("../../node/sample-work.ts");
  const { median } = await import("../../median.ts");
  const model = await sampleModel(name, flags);
  const engine = await createEngine(flags);
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
    const started = performance.now();
    const step = await sampleStep(model, engine, { batch, checkpointing });
    const loadMs = performance.now() - started;
    const { wall: trainMs, cpu: trainCpuMs } = await timed(() => step.run());
    await step.dispose();
    const inference = await sampleInference(model, engine, { batch });
    const { wall: inferenceMs } = await timed(() => inference.run());
    await inference.dispose();
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
