import { TesseraeError } from "../errors.ts";
import { fit } from "../train/fit.ts";
import { type Ramp, rampOf, type Suggestions, suggestions, type Trial, Trials } from "../train/lr-find.ts";
import type { Chart } from "./chart.ts";
import { createEngine } from "./engine.ts";
import { batchOf, buildModel, createLoaders, mixingOf, stepOptionsOf } from "./recipe.ts";
import { settle } from "./settings/index.ts";
import { openData } from "./sources/open-data.ts";
import { startOf } from "./start.ts";
import { openTeacher } from "./teacher.ts";
import type { TrainOptions } from "./train-options.ts";

export interface LrFindOptions extends Omit<TrainOptions, "output" | "resume" | "onEvent"> {
  /** Default: 1e-7 to 10 in 100 steps. */
  ramp?: Ramp;
  onStep?: (trial: Trial, steps: number) => void;
}

export interface LrFindResult extends Suggestions {
  readonly trials: readonly Trial[];
  /** Whether the loss left the ramp before its end: above four times its lowest, or not finite. */
  readonly diverged: boolean;
}

export const RAMP: Ramp = { from: 1e-7, to: 10, steps: 100 };

/**
 * The learning rate range test: trains for a few steps while the rate grows, and reads rates off the curve of the loss.
 * Everything but the rate is as `train` has it with the same settings. Nothing is saved. Throws TesseraeError.
 */
export async function findLr({ ramp = RAMP, onStep, ...options }: LrFindOptions): Promise<LrFindResult> {
  if (!(ramp.from > 0 && ramp.from < ramp.to))
    throw new TesseraeError("usage", `the rate cannot grow from ${ramp.from} to ${ramp.to}`);
  const { settings: s, start } = await startOf(settle(options), options, { signal: options.signal });
  const data = await openData(options.data, s);
  const model = buildModel(s, data.train.classes.length, start);
  const loaders = createLoaders(s, model, data);
  const backend = await createEngine({ device: s.device, threads: s.threads });
  const step = stepOptionsOf(s, batchOf(s, data.train));
  const pupil = { model, classes: data.train.classes, batch: step.batch };
  const trials = new Trials();
  const end = new AbortController();
  let diverged = false;
  const stop = (): void => end.abort();
  options.signal?.addEventListener("abort", stop);
  try {
    await fit({
      model,
      backend,
      weights: start.weights(model, s.seed).weights,
      step,
      teacher: s.teacher === undefined ? undefined : await openTeacher(s.teacher, pupil, backend),
      mixing: mixingOf(s),
      maxBadSteps: 1,
      epochs: Math.ceil(ramp.steps / loaders.train.batchesPerEpoch),
      schedule: rampOf(ramp),
      train: loaders.train,
      signal: end.signal,
      onEvent: (event) => {
        if (event.type === "bad-step") diverged = true;
        if (event.type === "step") {
          trials.add(event.lr, event.loss);
          onStep?.(trials.list.at(-1) as Trial, ramp.steps);
          diverged = trials.diverged;
        }
        if (diverged || trials.list.length === ramp.steps) stop();
      },
    });
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await Promise.all([loaders.train.close(), loaders.val?.close(), backend.dispose()]);
  }
  options.signal?.throwIfAborted();
  return { ...suggestions(trials.list), trials: trials.list, diverged };
}

/** The loss against the rate, with the rates read off it. */
export function lrChart({ trials, ...rates }: LrFindResult): Chart {
  const marks = (["valley", "steep", "minimum"] as const).flatMap((name) => {
    const lr = rates[name];
    return lr === undefined ? [] : [{ lr, name: `${name} ${lr.toExponential(1)}` }];
  });
  // What comes after the loss has left would flatten all the rest.
  const smoothed = trials.map((t) => t.smoothed);
  const domain = [0.9 * Math.min(...smoothed), 1.3 * (smoothed[0] ?? 1)];
  const y = { field: "loss", type: "quantitative", scale: { domain } } as const;
  const x = { field: "lr", type: "quantitative", scale: { type: "log" }, title: "learning rate" } as const;
  return {
    width: 520,
    height: 300,
    title: "Loss as the learning rate grows",
    layer: [
      {
        data: { values: trials.map(({ lr, loss }) => ({ lr, loss })) },
        mark: { type: "point", size: 8, filled: true, opacity: 0.35, clip: true },
        encoding: { x, y },
      },
      {
        data: { values: trials.map(({ lr, smoothed }) => ({ lr, loss: smoothed })) },
        mark: { type: "line", clip: true },
        encoding: { x, y },
      },
      {
        data: { values: marks },
        mark: { type: "rule", strokeDash: [4, 3] },
        encoding: { x, color: { field: "name", type: "nominal", title: null } },
      },
    ],
  };
}

/** The steps as CSV. */
export const lrCsv = ({ trials }: LrFindResult): string =>
  ["step,lr,loss,smoothed", ...trials.map((t) => [t.step, t.lr, t.loss, t.smoothed].join(","))].join("\n").concat("\n");
