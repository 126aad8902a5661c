import type { Device } from "../ort.ts";
import { above, setting, wholeFrom } from "./setting.ts";

export const DEVICES: readonly Device[] = ["cpu", "webgpu", "cuda", "dml", "coreml"];

export const run = {
  device: setting<Device>({
    flag: "--device <name>",
    kind: DEVICES,
    default: "cpu",
    help: "where programs run",
    free: true,
  }),
  threads: setting<number | undefined>({
    flag: "--threads <n>",
    kind: "count",
    default: undefined,
    help: "threads of the engine (default: all processors)",
    must: wholeFrom(1),
    free: true,
  }),
  deterministic: setting<boolean>({
    flag: "--deterministic",
    kind: "switch",
    default: false,
    help: "compute each operator by the rule, not in the form that was measured to be faster here",
  }),
  maxBadSteps: setting<number>({
    flag: "--max-bad-steps <n>",
    kind: "whole",
    default: 5,
    help: "steps in a row whose loss or gradient may be NaN or infinite; they are not applied",
    must: wholeFrom(0),
  }),
  rollbackOnSpike: setting<number | undefined>({
    flag: "--rollback-on-spike [factor]",
    kind: "number",
    default: undefined,
    alone: 2,
    off: { value: undefined },
    help: "a loss above this many times its running mean takes the weights back to the newest checkpoint",
    must: above(1),
  }),
  recoveryInterval: setting<number>({
    flag: "--recovery-interval <steps>",
    kind: "whole",
    default: 0,
    help: "save within an epoch too, every so many steps; 0: at its end alone",
    must: wholeFrom(0),
    free: true,
  }),
  recordInterval: setting<number>({
    flag: "--record-interval <steps>",
    kind: "count",
    default: 1,
    help: "of the steps, every so manieth goes into metrics.jsonl and TensorBoard's file",
    must: wholeFrom(1),
    free: true,
  }),
  checkpointHist: setting<number>({
    flag: "--checkpoint-hist <n>",
    kind: "count",
    default: 2,
    help: "newest checkpoints to keep, beside the best",
    must: wholeFrom(1),
    free: true,
  }),
  valInterval: setting<number>({
    flag: "--val-interval <epochs>",
    kind: "count",
    default: 1,
    help: "evaluate after every so many epochs, and after the last",
    must: wholeFrom(1),
    free: true,
  }),
  report: setting<boolean>({
    flag: "--report",
    kind: "switch",
    default: true,
    help: "write report.html and README.md at the end",
    free: true,
  }),
  evalMetric: setting<"top1" | "top5" | "loss">({
    flag: "--eval-metric <name>",
    kind: ["top1", "top5", "loss"],
    default: "top1",
    help: "what decides the best",
    free: true,
  }),
};
