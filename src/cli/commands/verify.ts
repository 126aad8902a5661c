import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import type { Model } from "../../models/model.ts";
import type { Backend } from "../../runtime/backend.ts";
import type { ModelReport } from "../../verify/verify-model.ts";
import type { TrajectoryReport } from "../../verify/verify-trajectory.ts";
import { type EngineFlags, withEngine } from "../flags.ts";
import { listed, note, print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { Exit, FAILED, oneLine } from "../report.ts";

export const verifyCommand = (): CommandDefinition => ({
  example: "verify fixtures/vit_tiny_patch16_224.json",
  command: withEngine(
    new Command("verify")
      .description("hold models against reference figures: parameters, logits, losses, gradients, training runs")
      .argument("<fixture...>", "JSON files of figures")
      .option("--json", "print a line per fixture"),
  ).action(run),
});

type Figures = Readonly<Record<string, number>>;

/** What a fixture came to; `skipped` and `failure` say why there are no figures. */
interface Outcome {
  fixture: string;
  model: string | null;
  ok: boolean;
  tensors?: {
    missing: readonly string[];
    unexpected: readonly string[];
    misshapen: readonly string[];
    reordered: boolean;
  };
  skipped?: string;
  failure?: string;
  error?: Readonly<Record<string, number | string>>;
  tolerance?: Figures;
  /** PyTorch's own float32 errors, by the names of `error`. */
  reference?: Figures;
}

async function run(files: string[], { json, device, threads }: EngineFlags & { json?: boolean }): Promise<void> {
  const { createEngine } = await import("../../node/engine.ts");
  const backend = await createEngine({ device, threads });
  const outcomes: Outcome[] = [];
  try {
    for (const file of files) {
      const outcome = await verify(file, backend);
      outcomes.push(outcome);
      if (json) printJson(asJson(outcome));
      else for (const line of lines(outcome)) print(line);
    }
  } finally {
    await backend.dispose();
  }
  const { text, ok } = verdict(outcomes);
  if (json) note(text);
  else print(text);
  if (!ok) throw new Exit(FAILED);
}

async function verify(file: string, backend: Backend): Promise<Outcome> {
  const fixture = basename(file, ".json");
  let model: string | null = null;
  try {
    const { parseFixture } = await import("../../verify/fixture.ts");
    const parsed = parseFixture(await read(file), file);
    model = parsed.kind === "other" ? parsed.model : parsed.figures.model;
    if (parsed.kind === "other")
      return { fixture, model, ok: false, skipped: "figures of a kind that is not verified yet" };
    const { verifyModel } = await import("../../verify/verify-model.ts");
    const { trajectoryModel, verifyTrajectory } = await import("../../verify/verify-trajectory.ts");
    const { createModel } = await import("../../models/index.ts");
    if (parsed.kind === "model") {
      const { figures } = parsed;
      const built = await build(() => createModel(figures.model, figures.options));
      if (typeof built === "string") return { fixture, model, ok: false, skipped: built };
      return withFigures(fixture, await verifyModel(built, figures, backend));
    }
    const { figures } = parsed;
    const built = await build(() => trajectoryModel(figures));
    if (typeof built === "string") return { fixture, model, ok: false, skipped: built };
    return withFigures(fixture, await verifyTrajectory(built, figures, backend));
  } catch (error) {
    if (!(error instanceof TesseraeError)) throw error;
    return { fixture, model, ok: false, failure: oneLine(error.message) };
  }
}

function withFigures(fixture: string, report: ModelReport | TrajectoryReport): Outcome {
  const { model, ok, tensors, error, tolerance, reference } = report;
  return {
    fixture,
    model,
    ok,
    tensors,
    error: error && { ...error },
    tolerance: { ...tolerance },
    reference: { ...reference },
  };
}

/** The model, or why it does not exist. */
async function build(make: () => Model): Promise<Model | string> {
  try {
    return make();
  } catch (error) {
    if (error instanceof TesseraeError && /^unknown model /.test(error.message)) return "the model does not exist yet";
    throw error;
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new TesseraeError("io", code === "ENOENT" ? "no such file" : `cannot be read (${code})`, {
      where: file,
      cause,
    });
  }
}

const asJson = ({ fixture, model, ok, tensors, skipped, failure, error, tolerance }: Outcome) => ({
  fixture,
  model,
  ok,
  tensors: tensors
    ? { missing: tensors.missing, unexpected: tensors.unexpected, misshapen: misshapenOf(tensors) }
    : null,
  skipped: skipped ?? null,
  error: error ?? null,
  tolerance: tolerance ?? null,
  ...(failure && { failure }),
});

/** Another order is a difference as well. */
const misshapenOf = ({ misshapen, reordered }: NonNullable<Outcome["tensors"]>): readonly string[] =>
  reordered ? [...misshapen, "the order differs"] : misshapen;

function lines(o: Outcome): string[] {
  if (o.skipped) return [`${pc.yellow("skipped")}  ${o.fixture}: ${o.skipped}`];
  const head = `${o.ok ? pc.green("ok") : pc.red("FAILED")}  ${o.fixture}`;
  if (o.failure) return [`${head}: ${o.failure}`];
  return [`${head}  ${tensorsLine(o)}`, ...figureLines(o)];
}

function tensorsLine({ tensors }: Outcome): string {
  if (!tensors) return "";
  const { missing, unexpected } = tensors;
  const parts = Object.entries({ missing, unexpected, misshapen: misshapenOf(tensors) })
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${names.length} ${what}: ${listed(names, 3)}`);
  return parts.length === 0 ? "tensors ok" : parts.join("; ");
}

/** A line per figure: ours, the tolerance, and the ratio to what PyTorch's own float32 is off by. */
function figureLines({ error, tolerance = {}, reference = {} }: Outcome): string[] {
  if (!error) return [];
  const figures = Object.entries(error).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  return figures.map(([name, value]) => {
    const limit = tolerance[name] ?? (name === "finalEmaNorms" ? tolerance.finalNorms : undefined);
    const own = reference[name];
    const over = limit !== undefined && !(value <= limit);
    const ratio = own ? `  ${(value / own).toFixed(2)} x PyTorch's float32` : "";
    const worst =
      over && typeof error.worst === "string" && /gradients|heads|norms/i.test(name) ? `  (${error.worst})` : "";
    const text = `${name.padEnd(14)} ${value.toExponential(2)}${limit === undefined ? "" : `  of ${limit.toExponential(1)}`}`;
    return `    ${over ? pc.red(text) : text}${ratio}${worst}`;
  });
}

function verdict(outcomes: readonly Outcome[]): { text: string; ok: boolean } {
  const good = outcomes.filter((o) => o.ok).length;
  const skipped = outcomes.filter((o) => o.skipped).length;
  const bad = outcomes.length - good - skipped;
  const parts = [
    `${good} of ${outcomes.length} verified`,
    bad > 0 && `${bad} FAILED`,
    skipped > 0 && `${skipped} skipped, which is no success`,
  ];
  return { text: parts.filter(Boolean).join("; "), ok: good === outcomes.length };
}
