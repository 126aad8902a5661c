import { TesseraeError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import { modelOf, parseSpec } from "../models/spec.ts";
import type { LoadedCheckpoint } from "../train/checkpoint.ts";
import { recipeNames, type TrainSettings } from "./settings/index.ts";

/**
 * A checkpoint goes on only as the model it was, on the classes it knows: throws TesseraeError("usage") that says what
 * differs. Returns a phrase for each other setting that is not as it was.
 */
export function checkResumed(
  { meta, path, model: weights }: LoadedCheckpoint,
  model: Model,
  settings: TrainSettings,
  classes: readonly string[],
): string[] {
  const spec = parseSpec(meta.spec, path);
  const saved = modelOf(spec);
  const refuse = (what: string) =>
    new TesseraeError("usage", `was trained ${what}`, {
      where: path,
      hint: "Resume with the options the run was started with",
    });
  if (saved.name !== model.name)
    throw refuse(`as ${saved.name}, not ${model.name} (${differences([...weights.keys()], model)})`);
  const options = changes(Object.keys(model.options), saved.options, model.options);
  if (options.length > 0) throw refuse(`with other options: ${options.join(", ")}`);
  const other = classes.findIndex((name, i) => spec.classes[i] !== name);
  if (other >= 0) throw refuse(`on other classes: number ${other} was ${spec.classes[other]}, not ${classes[other]}`);
  const before = (meta.settings ?? {}) as Partial<TrainSettings>;
  const { batch = 0 } = (meta.progress ?? {}) as { batch?: number };
  if (batch > 0 && before.batchSize !== undefined && before.batchSize !== settings.batchSize)
    throw refuse(`with batches of ${before.batchSize}, and stopped within an epoch`);
  return changes(recipeNames, { ...before }, { ...settings });
}

type Values = Readonly<Record<string, unknown>>;

/** "depth was 12, is 6". */
const changes = (keys: readonly string[], before: Values, now: Values): string[] =>
  keys
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]))
    .map((key) => `${key} was ${shown(before[key])}, is ${shown(now[key])}`);

/** A value in a message: an imported graph is as long as its file. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "not set";
  return text.length > 80 ? "another" : text;
}

/** In how many weights, and in which, a checkpoint differs from a model. */
function differences(saved: readonly string[], model: Model): string {
  const own = model.slots.map(({ name }) => name);
  const list = (what: string, names: readonly string[]) =>
    names.length > 0 && `${names.length} ${what}: ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", ..." : ""}`;
  const parts = [
    list(
      "missing",
      own.filter((name) => !saved.includes(name)),
    ),
    list(
      "unexpected",
      saved.filter((name) => !own.includes(name)),
    ),
  ];
  return parts.filter(Boolean).join("; ") || "of the same names";
}
