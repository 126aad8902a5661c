import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { ChooseForm } from "../graph/passes/tuned-forms.ts";
import type { Backend } from "../runtime/backend.ts";
import { createEngine } from "./engine.ts";
import { checkDevice, type OrtOptions, runtimeVersion } from "./ort.ts";
import { blockOf } from "./ort-blocks.ts";
import { FormStore } from "./tuning/store.ts";
import { type Plan, planOf } from "./tuning/tuner.ts";

/** How and where a run's programs run, as far as it may change their bits. Plain data: it goes into checkpoints. */
export interface Machine {
  readonly device: string;
  readonly threads: number;
  /** Channels side by side in blocked convolutions; null where they are not blocked. */
  readonly block: number | null;
  /** Version of onnxruntime. */
  readonly runtime: string;
  readonly processor: string;
  /** Operators that are not computed by the rule, since another form was measured to be faster. */
  readonly forms: Plan;
}

/**
 * What a run uses. One that goes on keeps its threads, unless others are given, its layout of convolutions where this
 * processor has it, and the forms of its operators; a new one takes those that were measured here, `deterministic` none.
 * `changed` has a phrase for each thing that is not as it was.
 */
export async function machineOf(
  given: OrtOptions & { readonly deterministic?: boolean },
  saved?: Partial<Machine>,
): Promise<{ machine: Machine; changed: string[] }> {
  const device = checkDevice(given.device);
  const facts = {
    device,
    threads: given.threads ?? saved?.threads ?? usualThreads(),
    block: saved?.block === null ? null : ((await blockOf(device)) ?? null),
    runtime: runtimeVersion(),
    processor: cpus()[0]?.model.trim() ?? process.arch,
  };
  const changed = (Object.keys(facts) as (keyof typeof facts)[])
    .filter((key) => saved?.[key] !== undefined && saved[key] !== facts[key])
    .map((key) => `${key} was ${saved?.[key]}, is ${facts[key]}`);
  return { machine: { ...facts, forms: await formsOf(facts, given, saved) }, changed };
}

async function formsOf(
  facts: Omit<Machine, "forms">,
  { deterministic }: { readonly deterministic?: boolean },
  saved?: Partial<Machine>,
): Promise<Plan> {
  if (deterministic || facts.device !== "cpu") return {};
  return saved ? (saved.forms ?? {}) : planOf(await new FormStore(facts).read());
}

/** Where no number is asked for the runtime binds its threads to processors too: that is left to it where it can be. */
export async function engineOf(
  { device, threads, block }: Machine,
  given: OrtOptions,
  form: ChooseForm,
): Promise<Backend> {
  const own = given.threads === undefined && threads === usualThreads();
  const engine = await createEngine({
    device: checkDevice(device as OrtOptions["device"]),
    threads: own ? undefined : threads,
  });
  return { ...engine, target: { ...engine.target, block: block ?? undefined, form } };
}

/** Threads that the runtime takes where none are asked for: the processor's cores, hyperthreads not counted. */
function usualThreads(): number {
  const all = availableParallelism();
  try {
    const cores = readFileSync("/proc/cpuinfo", "utf8")
      .split("\n\n")
      .map((text) => ["physical id", "core id"].map((key) => new RegExp(`^${key}\\s*: (\\d+)`, "m").exec(text)?.[1]))
      .filter(([, core]) => core !== undefined);
    return Math.min(all, new Set(cores.map(String)).size || all);
  } catch {
    return all; // only Linux has that file
  }
}
