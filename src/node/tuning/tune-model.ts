import { optimize } from "../../graph/passes/index.ts";
import type { Model } from "../../models/model.ts";
import { trainStep } from "../../train/step.ts";
import { engineOf, machineOf } from "../machine.ts";
import type { OrtOptions } from "../ort.ts";
import { sampleOptions } from "../sample-work.ts";
import { type Measured, measureForms } from "./measure.ts";
import { FormStore } from "./store.ts";
import { Tuner } from "./tuner.ts";

export interface TuneOptions extends OrtOptions {
  readonly batchSize: number;
  /** Measures what is known too. */
  readonly again?: boolean;
  readonly onMeasured?: (done: number, total: number) => void;
}

export interface TunedModel {
  /** By operators' keys. */
  readonly measured: ReadonlyMap<string, Measured>;
  /** Operators that were known before. */
  readonly known: number;
  /** Where all that is known of this processor is kept. */
  readonly path: string;
}

/** Measures the forms of a model's training step now, which training does beside its first run. */
export async function tuneModel(model: Model, options: TuneOptions): Promise<TunedModel> {
  const { machine } = await machineOf(options);
  const tuner = new Tuner({});
  const engine = await engineOf(machine, options, tuner.choose);
  try {
    optimize(trainStep(model, sampleOptions(options.batchSize)), engine.target);
    const store = new FormStore(machine);
    const before = await store.read();
    const wanted = tuner.heavy.filter(({ key }) => options.again || !before.has(key));
    const measured = new Map<string, Measured>();
    for (const [i, tunable] of wanted.entries()) {
      options.onMeasured?.(i, wanted.length);
      const result = await measureForms(tunable, engine);
      await store.add(tunable.key, result);
      measured.set(tunable.key, result);
    }
    return { measured, known: tuner.heavy.length - wanted.length, path: store.path };
  } finally {
    await engine.dispose();
  }
}
