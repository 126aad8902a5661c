import { stat } from "node:fs/promises";
import { Command } from "commander";
import pc from "picocolors";
import type { Model } from "../../models/model.ts";
import type { ModelSpec } from "../../models/spec.ts";
import { listed, print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { stageCells, stageJson } from "./stages.ts";

export const infoCommand = (): CommandDefinition => ({
  example: "info vit_tiny_patch16_224",
  command: new Command("info")
    .description(
      "describe a model: options, preprocessing, and its stages with their shapes, parameters and multiply-accumulates",
    )
    .argument("<model>", "name of a model, run folder, checkpoint, .onnx file, weights or model on the hub")
    .option("--json", "print one object")
    .action(run),
});

interface Part {
  part: string;
  parameters: number;
}

interface Described {
  readonly model: Model;
  readonly spec?: ModelSpec;
  /** What was found in an imported file. */
  readonly report?: readonly string[];
  /** Where the weights lie. */
  readonly path?: string;
}

async function run(what: string, { json }: { json?: boolean }): Promise<void> {
  const { model, spec, path, report = [] } = await describe(what);
  const { statistics } = await import("../../models/statistics.ts");
  const { stageTable } = await import("../../models/stage-table.ts");
  const { parameters, gmacs, activations } = statistics(model);
  const stages = stageTable(model);
  const parts = partsOf(model);
  const { graph: _, ...options } = model.options; // of an imported model: as long as its file
  const facts = {
    name: model.name,
    paper: model.paper,
    weights: path,
    parameters,
    gmacs,
    activations,
    inputShape: model.inputShape,
    preprocessing: model.preprocessing,
    options,
    parts,
    stages: stages.map(stageJson),
    features: model.featureInfo,
    classes: spec?.classes,
    report,
  };
  if (json) return printJson(facts);
  const { mean, std, interpolation, crop_pct } = model.preprocessing;
  print(`${pc.bold(model.name)}  ${model.paper}`);
  if (path) print(`weights        ${path}`);
  print(`parameters     ${parameters.toLocaleString("en")}`);
  print(`GMACs          ${gmacs.toFixed(3)} for one image`);
  print(`activations    ${activations.toFixed(2)} M for one image`);
  print(`image          ${model.inputShape.join(" x ")}`);
  print(`preprocessing  mean ${mean.join(" ")}, std ${std.join(" ")}, ${interpolation}, crop ${crop_pct}`);
  if (spec) print(`classes        ${spec.classes.length}: ${listed(spec.classes, 10)}`);
  for (const line of report) print(`               ${line}`);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  print(`options        ${given.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(" ")}`);
  print();
  const { header, cells } = stageCells(stages);
  for (const line of table(header, cells)) print(line);
  if (model.featureInfo.length === 0) return;
  print();
  const rows = model.featureInfo.map((f) => [f.module, f.num_chs, f.reduction]);
  for (const line of table(["features of", "channels", "stride"], rows)) print(line);
}

/** A path that exists is a trained model, anything else a name. */
async function describe(what: string): Promise<Described> {
  const exists = await stat(what).then(
    () => true,
    () => false,
  );
  if (exists || /[/\\.:]/.test(what)) {
    const { open } = await import("../trained.ts");
    const { modelOf } = await import("../../models/spec.ts");
    const trained = await open(what);
    const { spec, path } = trained;
    return { model: modelOf(spec), spec, path, report: trained.kind === "weights" ? trained.report : undefined };
  }
  const { createModel } = await import("../../models/index.ts");
  return { model: createModel(what) };
}

/** Parameters by the first name of their path; stages and layers one by one. */
function partsOf({ slots }: Model): Part[] {
  const parts = new Map<string, number>();
  for (const { name, shape, slot } of slots) {
    if (slot !== "parameter") continue;
    const part = /^((stages|layers)[._]\d+|[^.]+)/.exec(name)?.[0] ?? name;
    parts.set(part, (parts.get(part) ?? 0) + shape.reduce((a, b) => a * b, 1));
  }
  return [...parts].map(([part, parameters]) => ({ part, parameters }));
}
