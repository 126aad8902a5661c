import { Command, Option } from "commander";
import type { Sum } from "../../node/profile.ts";
import { count, withEngine } from "../flags.ts";
import { note, percent, print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { type SampleFlags, sampleModel, withSample } from "../sample-flags.ts";

interface ProfileFlags extends SampleFlags {
  model: string;
  infer?: boolean;
  steps: number;
  depth: number;
  shapes?: boolean;
  top: number;
  gradCheckpointing?: boolean;
  without?: string[];
  output?: string;
  json?: boolean;
}

export const profileCommand = (): CommandDefinition => ({
  example: "profile --model vit_tiny_patch16_224 -b 16",
  command: withEngine(
    withSample(
      new Command("profile")
        .description("where a training step's time goes: by operator and by module, with a Chrome trace")
        .option("--model <name>", "name of a model", "vit_tiny_patch16_224"),
    )
      .option("--infer", "inference instead of a training step")
      .addOption(new Option("--steps <n>", "runs that count, after two that do not").argParser(count).default(5))
      .addOption(new Option("--depth <n>", "parts of a module's path that are told apart").argParser(count).default(1))
      .option("--shapes", "tell operators apart by the shape of what they give too")
      .addOption(new Option("--top <n>", "rows of each table").argParser(count).default(15))
      .option("--grad-checkpointing", "compute activations a second time instead of keeping them all")
      .option("--without <pass...>", "graph passes to leave out")
      .option("-o, --output <file>", "the Chrome trace of one run (default: MODEL-trace.json)")
      .option("--json", "print one object"),
  ).action(run),
});

async function run(flags: ProfileFlags): Promise<void> {
  const { model: name, batchSize: batch, infer, steps, depth, shapes, json } = flags;
  const { TesseraeError } = await import("../../index.ts");
  const { createEngine } = await import("../../node/engine.ts");
  const { peakMacs, profileModel, sumBy, pathTo } = await import("../../node/profile.ts");
  const { writeFileAtomic } = await import("../../node/atomic-write.ts");
  if ((flags.device ?? "cpu") !== "cpu")
    throw new TesseraeError("usage", "the runtime measures operators on the CPU only", { hint: "Use --device cpu." });
  const { PASS_NAMES } = await import("../../graph/passes/index.ts");
  const unknown = flags.without?.find((pass) => !PASS_NAMES.includes(pass));
  if (unknown !== undefined)
    throw new TesseraeError("usage", `there is no pass ${unknown}`, {
      hint: `Passes: ${PASS_NAMES.join(", ")}`,
    });
  const model = await sampleModel(name, flags);
  const engine = await createEngine(flags);
  const meter = createMeter("profiling");
  try {
    const peak = await peakMacs(engine);
    const { gradCheckpointing: checkpointing, without } = flags;
    const { ms, made, operators, trace } = await profileModel(model, engine, {
      training: !infer,
      batch,
      steps,
      checkpointing,
      without,
      onRun: (done, total) => meter.show(done, total),
    });
    meter.close();
    const output = flags.output ?? `${name}-trace.json`;
    await writeFileAtomic(output, JSON.stringify({ traceEvents: trace, displayTimeUnit: "ms" }));
    const byOperator = sumBy(operators, ({ op, shape }) => (shapes ? `${op} ${shape}` : op));
    const byModule = sumBy(operators, ({ module }) => pathTo(module, depth));
    const gflops = (macs: number, time: number) => (2 * macs) / (time * 1e6);
    const result = {
      model: name,
      training: !infer,
      batch,
      ms,
      made,
      peakGflops: (2 * peak) / 1e9,
      byOperator,
      byModule,
    };
    if (json) return printJson({ ...result, trace: output });
    const macs = operators.reduce((sum, p) => sum + p.macs, 0);
    const what = infer ? "inference" : "training step";
    print(`${name}, ${what}, ${model.inputShape.join(" x ")}, batch ${batch}: ${ms.toFixed(1)} ms`);
    const share = percent((100 * gflops(macs, ms)) / result.peakGflops, 0);
    print(
      `${gflops(macs, ms).toFixed(0)} GFLOP/s, ${share} of the ${result.peakGflops.toFixed(0)} of one large product`,
    );
    const seconds = (time: number) => `${(time / 1000).toFixed(2)} s`;
    print(`program written in ${seconds(made.program)}, loaded in ${seconds(made.session)}`);
    const total = operators.reduce((sum, p) => sum + p.ms, 0);
    for (const [title, sums] of [
      ["operator", byOperator],
      ["module", byModule],
    ] as const) {
      print();
      for (const line of sumTable(title, sums, { total, top: flags.top, training: !infer })) print(line);
    }
    note(`trace: ${output} (open it in ui.perfetto.dev or chrome://tracing)`);
  } finally {
    meter.close();
    await engine.dispose();
  }
}

function sumTable(
  title: string,
  sums: readonly Sum[],
  { total, top, training }: { total: number; top: number; training: boolean },
): string[] {
  const phases = training ? (["forward", "backward", "update"] as const) : [];
  const rows = sums
    .slice(0, top)
    .map(({ ms, calls, macs, phases: of, what }) => [
      ms.toFixed(2),
      percent((100 * ms) / total, 1),
      ...phases.map((phase) => of[phase].toFixed(2)),
      calls,
      macs > 0 ? ((2 * macs) / (ms * 1e6)).toFixed(0) : "",
      what,
    ]);
  return table(["ms", "share", ...phases, "calls", "GFLOP/s", title], rows);
}
