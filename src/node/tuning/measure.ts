import { encodeModel } from "../../graph/onnx.ts";
import { optimize } from "../../graph/passes/index.ts";
import type { Tunable } from "../../graph/passes/tuned-forms.ts";
import { inputName, type Program, program } from "../../graph/program.ts";
import { sizeOf, type TensorData } from "../../graph/types.ts";
import { median } from "../../median.ts";
import type { Backend, Session, State } from "../../runtime/backend.ts";
import { filled } from "../sample-work.ts";

/** How one operator's forms compare on this machine. */
export interface Measured {
  /** The form that beats the rule's; null where none does. */
  readonly form: string | null;
  /** Median milliseconds: "rule", and each form that is not the rule's. */
  readonly ms: Readonly<Record<string, number>>;
}

export const RULE = "rule";

/** Rounds in which every form runs once; the first of them are enough where no form comes near. */
const ROUNDS = { least: 5, most: 12 };
/**
 * A form must beat the rule's by a tenth, in most rounds: apart from its neighbours an operator does not share their reorderings,
 * and small gains are not to be believed.
 */
const GAIN = 1.1;
const WINS = 0.8;

/**
 * Times the forms of an operator, of which the inputs are a program's, in turns, each as a program of its own on random values. `pause` is waited for after each turn,
 * with the milliseconds that it took.
 */
export async function measureForms(
  tunable: Tunable,
  backend: Backend,
  pause: (ms: number) => Promise<void> = async () => {},
): Promise<Measured> {
  const names = [RULE, ...tunable.forms];
  const state = await backend.createState(valuesOf(tunable));
  const sessions = new Map<string, Session>();
  try {
    const known = new Set<string>();
    for (const name of names) {
      const model = encodeModel(programOf(tunable, backend, name));
      const text = Buffer.from(model.model).toString("latin1");
      if (known.has(text)) continue; // the rule's own form
      known.add(text);
      sessions.set(name, await backend.load(model, { optimization: "extended", memoryPlan: false }));
    }
    return sessions.size > 1 ? await compare(sessions, state, pause) : { form: null, ms: {} };
  } finally {
    for (const session of sessions.values()) await session.dispose();
    await state.dispose();
  }
}

function programOf({ node }: Tunable, backend: Backend, name: string): Program {
  return optimize(program("form", new Map([["y", node.outputs[0]]])), {
    ...backend.target,
    form: () => (name === RULE ? undefined : name),
  });
}

/** Values in [-1, 1), the same in every run. */
function valuesOf({ node }: Tunable): Map<string, TensorData> {
  const tensors = node.inputs.flatMap((t): [string, TensorData][] => {
    if (!t) return [];
    const data = filled(new Float32Array(sizeOf(t.shape)), (bits) => bits / 2 ** 31 - 1);
    return [[inputName(t), { dtype: "float32", shape: t.shape, data }]];
  });
  return new Map(tensors);
}

async function compare(
  sessions: ReadonlyMap<string, Session>,
  state: State,
  pause: (ms: number) => Promise<void>,
): Promise<Measured> {
  const names = [...sessions.keys()];
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  const run = async (name: string): Promise<number> => {
    const { ms, spent } = await (sessions.get(name) as Session).time(state);
    await pause(spent);
    return ms;
  };
  for (let round = 0; round < ROUNDS.most; round++) {
    // Who begins changes from round to round.
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      times.get(name)?.push(await run(name));
    }
    if (round + 1 === ROUNDS.least && !names.slice(1).some((name) => gainOf(times, name) > 1)) break;
  }
  const better = names
    .slice(1)
    .filter((name) => gainOf(times, name) >= GAIN && winsOf(times, name) >= WINS)
    .sort((a, b) => gainOf(times, b) - gainOf(times, a));
  const ms = Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
  return { form: better[0] ?? null, ms };
}

/** The rule's time over the form's, round by round. */
const ratiosOf = (times: ReadonlyMap<string, readonly number[]>, name: string): number[] => {
  const own = times.get(name) as readonly number[];
  return (times.get(RULE) as readonly number[]).map((ms, i) => ms / own[i]);
};

const gainOf = (times: ReadonlyMap<string, readonly number[]>, name: string): number => median(ratiosOf(times, name));

const winsOf = (times: ReadonlyMap<string, readonly number[]>, name: string): number => {
  const ratios = ratiosOf(times, name);
  return ratios.filter((r) => r > 1).length / ratios.length;
};
