import { TesseraeError } from "../errors.ts";
import type { Model } from "../models/model.ts";
import { modelOf, parseSpec } from "../models/spec.ts";
import type { LoadedCheckpoint } from "../train/checkpoint.ts";
import { recipeNames, type TrainSettings } from "./settings/index.ts";

/** `dataFingerprint` of a run's images. */
export interface Fingerprint {
  readonly train: string;
  readonly val: string;
}

export interface Resuming {
  readonly model: Model;
  readonly settings: TrainSettings;
  readonly classes: readonly string[];
  readonly fingerprint: Fingerprint;
}

/**
 * A checkpoint goes on only as the model it was, on the classes it knows, and within an epoch with the batches it had:
 * throws TesseraeError("usage") that says what differs. Returns a line for what else is not as it was.
 */
export function checkResumed(
  { meta, path, model: weights }: LoadedCheckpoint,
  { model, settings, classes, fingerprint }: Resuming,
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
  const { batch = 0, epoch = 0 } = (meta.progress ?? {}) as { batch?: number; epoch?: number };
  const batches = batch > 0 ? changes(["batchSize", "gradAccumSteps"], { ...before }, { ...settings }) : [];
  if (batches.length > 0) throw refuse(`with other batches, and stopped within an epoch: ${batches.join(", ")}`);
  // When checkpoints are written decides what a spike goes back to.
  const names = [...recipeNames, ...(settings.rollbackOnSpike === undefined ? [] : (["recoveryInterval"] as const))];
  const others = changes(names, { ...before }, { ...settings });
  return [
    ...(others.length > 0 ? [`the run goes on with other settings: ${others.join("; ")}`] : []),
    ...otherImages(meta.fingerprint as Partial<Fingerprint> | undefined, fingerprint, batch > 0 ? epoch : undefined),
  ];
}

/** `within`: the epoch that a run was stopped in the middle of. */
function otherImages(before: Partial<Fingerprint> = {}, now: Fingerprint, within?: number): string[] {
  const { train = now.train, val = now.val } = before;
  const rest = within === undefined ? "" : `: the rest of epoch ${within + 1} may repeat some and miss others`;
  return [
    ...(train === now.train ? [] : [`the training images are not those of before${rest}`]),
    ...(val === now.val ? [] : ["the images to evaluate on are not those of before: epochs do not compare"]),
  ];
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
