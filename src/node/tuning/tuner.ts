import { setTimeout as sleep } from "node:timers/promises";
import type { ChooseForm, Tunable } from "../../graph/passes/tuned-forms.ts";
import { apply, input } from "../../graph/tensor.ts";
import { productMacs } from "../../models/statistics.ts";
import type { Backend } from "../../runtime/backend.ts";
import { type Measured, measureForms } from "./measure.ts";
import type { FormStore } from "./store.ts";

/** Forms by operators' keys, where they are not the rule's. Plain data: it goes into a run's records and checkpoints. */
export type Plan = Readonly<Record<string, string>>;

export const planOf = (measured: ReadonlyMap<string, Measured>): Plan =>
  Object.fromEntries([...measured].flatMap(([key, { form }]) => (form === null ? [] : [[key, form]])));

/** Multiply-accumulates below which an operator is too short to be worth measuring: some milliseconds. */
const HEAVY = 2 ** 26;

const isHeavy = ({ node }: Tunable): boolean => productMacs(node) >= HEAVY;

/** Apart from its program, which would be kept as long as the operator is. */
const alone = (tunable: Tunable): Tunable => {
  const { op, inputs, attrs } = tunable.node;
  const own = inputs.map((t, i) => t && input(`x${i}`, t.dtype, t.shape));
  return { ...tunable, node: apply(op, own, attrs).node };
};

/**
 * Answers by a plan that stays as it is, and notes the operators that are asked for, to measure them for later runs: between
 * this run's own steps, on its thread, a tenth of the time.
 */
export class Tuner {
  readonly #plan: Plan;
  readonly #heavy = new Map<string, Tunable>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  readonly choose: ChooseForm = (tunable) => {
    if (!this.#heavy.has(tunable.key) && isHeavy(tunable)) this.#heavy.set(tunable.key, alone(tunable));
    return Object.hasOwn(this.#plan, tunable.key) ? this.#plan[tunable.key] : undefined;
  };

  /** The operators asked for so far that are worth measuring. */
  get heavy(): Tunable[] {
    return [...this.#heavy.values()];
  }

  /** Measures what the store does not know until the signal comes; gives what it measured. Errors end it without a word. */
  async measureBetween(backend: Backend, store: FormStore, signal: AbortSignal): Promise<Measured[]> {
    const done: Measured[] = [];
    const rest = (ms: number) => sleep(ms, undefined, { ref: false, signal });
    try {
      const known = new Set((await store.read()).keys());
      for (;;) {
        const next = this.heavy.find(({ key }) => !known.has(key));
        if (!next) {
          await rest(IDLE_MS);
          continue;
        }
        known.add(next.key);
        const measured = await measureForms(next, backend, (ms) => rest(ms * (1 / SHARE - 1)));
        await store.add(next.key, measured);
        done.push(measured);
      }
    } catch {
      return done; // the run has ended, or there is no room: for memory, or to keep what is measured
    }
  }
}

/** Measures beside a run until it is stopped, which gives what was measured. */
export function tuneBeside(tuner: Tuner, backend: Backend, store: FormStore): { stop(): Promise<Measured[]> } {
  const end = new AbortController();
  const measuring = backend.device === "cpu" ? tuner.measureBetween(backend, store, end.signal) : Promise.resolve([]);
  return {
    stop() {
      end.abort();
      return measuring;
    },
  };
}

const IDLE_MS = 1000;
/** Of the run's time. */
const SHARE = 0.1;
