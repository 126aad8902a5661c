import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scaledRate } from "./base-rate.ts";
import { type ScheduleOptions, schedule, scheduledEpochs } from "./schedule.ts";

/** Made by bench/python/recipe_expectations.py. */
interface Expected {
  lr: number;
  updates: number;
  runs: {
    sched: string;
    num_epochs: number;
    warmup_epochs?: number;
    warmup_lr?: number;
    warmup_prefix?: boolean;
    min_lr?: number;
    cooldown_epochs?: number;
    decay_epochs?: number;
    decay_milestones?: number[];
    decay_rate?: number;
    k_decay?: number;
    on_epochs: boolean;
    epochs: number;
    rates: number[];
  }[];
}
const { lr, updates, runs } = JSON.parse(readFileSync(new URL("./schedule.json", import.meta.url), "utf8")) as Expected;

const optionsOf = (run: Expected["runs"][number]): ScheduleOptions => ({
  lr,
  epochs: run.num_epochs,
  updatesPerEpoch: updates,
  onEpochs: run.on_epochs,
  warmupEpochs: run.warmup_epochs,
  warmupLr: run.warmup_lr,
  warmupPrefix: run.warmup_prefix,
  minLr: run.min_lr,
  decayEpochs: run.decay_epochs,
  decayMilestones: run.decay_milestones,
  decayRate: run.decay_rate,
  kDecay: run.k_decay,
});

const nameOf = ({ rates: _, ...run }: Expected["runs"][number]): string => JSON.stringify(run);

describe("schedules move as timm's and PyTorch's", () => {
  it.each(runs.map((run) => [nameOf(run), run] as const))("%s", (_, run) => {
    const rate = schedule(run.sched, optionsOf(run));
    const steps = run.on_epochs ? updates : 1;
    expect(run.rates.length * steps).toBe(run.epochs * updates);
    run.rates.forEach((expected, i) => {
      expect(rate(i * steps)).toBeCloseTo(expected, 12);
      expect(rate(i * steps + steps - 1)).toBeCloseTo(expected, 12);
    });
    const { warmup_epochs: warmupEpochs = 0, warmup_prefix: warmupPrefix = false, cooldown_epochs = 0 } = run;
    const lengths = { epochs: run.num_epochs, warmupEpochs, warmupPrefix, cooldownEpochs: cooldown_epochs };
    expect(scheduledEpochs(run.sched, lengths)).toBe(run.epochs);
  });

  it("linear is poly of exponent 1", () => {
    const options = { lr: 1, epochs: 5, updatesPerEpoch: 3, warmupEpochs: 1, minLr: 0.1 };
    const [linear, poly] = [schedule("linear", options), schedule("poly", { ...options, decayRate: 1 })];
    for (let i = 0; i < 20; i++) expect(linear(i)).toBeCloseTo(poly(i), 14);
  });

  it("refuses unknown names, and a lowest rate above the peak", () => {
    const options = { lr: 1, epochs: 5, updatesPerEpoch: 3 };
    expect(() => schedule("toString", options)).toThrow(/unknown schedule toString/);
    expect(() => schedule("cosine", { ...options, minLr: 2 })).toThrow(/lowest rate 2/);
  });
});

describe("a base rate", () => {
  it("grows with the square root of the batch for Adam's kin and LAMB, linearly for the others", () => {
    const at = (optimizer: string, scale?: "linear" | "sqrt") =>
      scaledRate({ base: 0.1, size: 256, scale, optimizer }, 1024);
    for (const name of ["adamw", "nadamw", "adam", "lamb"]) expect(at(name)).toBeCloseTo(0.2, 12);
    for (const name of ["sgd", "momentum", "lion", "muon"]) expect(at(name)).toBeCloseTo(0.4, 12);
    expect(at("adamw", "linear")).toBeCloseTo(0.4, 12);
    expect(at("sgd", "sqrt")).toBeCloseTo(0.2, 12);
  });
});
