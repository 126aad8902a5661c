import { TesseraeError } from "../../errors.ts";
import type { Backend } from "../../runtime/backend.ts";
import { createStudioModel, type StudioModel } from "../../studio/model.ts";
import { isCheckpointFolder } from "../../train/checkpoint.ts";
import { openTrained, type TrainedModel } from "../model-files.ts";
import { checkLinks, namesIn, type Place } from "./folders.ts";

/** Models in memory at a time: two to compare, and one that was looked at before. */
const MOST_LOADED = 3;

/** Questions that may wait for the engine; more are refused. */
const MOST_WAITING = 16;

/** A model that is no run's. */
export interface NamedModel {
  readonly name: string;
  readonly trained: TrainedModel;
}

/** A model that can be asked. */
export interface Askable {
  /** One model has one. */
  readonly key: string;
  readonly name: string;
  /** Changes with its weights. */
  version(): Promise<string>;
  open(): Promise<TrainedModel>;
}

/** A run's best checkpoint. Throws TesseraeError("io") where a link leads out of its folder. */
export async function openRun(place: Place): Promise<TrainedModel> {
  await checkLinks(place);
  return openTrained(place.path);
}

/** The model of a run, as good as it is now. */
export const modelOfRun = (place: Place): Askable => ({
  key: place.path,
  name: place.name,
  version: async () => (await namesIn(place)).filter(isCheckpointFolder).sort().join(),
  open: () => openRun(place),
});

export const modelOfName = ({ name, trained }: NamedModel): Askable => ({
  ...{ key: `model ${name}`, name },
  version: async () => "",
  open: async () => trained,
});

/** An id that no model has yet. */
export function freshId(name: string, models: readonly { readonly id: string }[]): string {
  for (let i = 1; ; i++) {
    const id = i === 1 ? name : `${name}~${i}`;
    if (!models.some((m) => m.id === id)) return id;
  }
}

interface Loaded {
  readonly version: string;
  readonly model: StudioModel;
}

/** Models, loaded when they are asked. The engine answers one question after another. */
export class ModelShelf {
  readonly #start: () => Promise<Backend>;
  #backend?: Promise<Backend>;
  /** Last asked last. */
  readonly #loaded = new Map<string, Loaded>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `start` makes the engine, at the first question. */
  constructor(start: () => Promise<Backend>) {
    this.#start = start;
  }

  /** Asks a model when it is its turn. Throws TesseraeError: "runtime" where too many wait, and what `question` throws. */
  use<T>(asked: Askable, question: (model: StudioModel) => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING)
      throw new TesseraeError("runtime", "too many questions wait for the engine: ask again later");
    this.#waiting++;
    const answer = this.#turn.then(async () => question(await this.#open(asked)));
    this.#turn = answer.catch(() => {}).finally(() => this.#waiting--);
    return answer;
  }

  async close(): Promise<void> {
    await this.#turn;
    for (const { model } of this.#loaded.values()) await model.dispose();
    this.#loaded.clear();
    await (await this.#backend)?.dispose();
  }

  async #open(asked: Askable): Promise<StudioModel> {
    const version = await asked.version();
    const known = this.#loaded.get(asked.key);
    this.#loaded.delete(asked.key);
    if (known?.version === version) {
      this.#loaded.set(asked.key, known);
      return known.model;
    }
    await known?.model.dispose();
    const model = await this.#load(asked);
    this.#loaded.set(asked.key, { version, model });
    await this.#makeRoom();
    return model;
  }

  async #load({ name, open }: Askable): Promise<StudioModel> {
    const trained = await open();
    if (trained.kind === "onnx")
      throw new TesseraeError("weights", "holds no weights that can be explained", { where: name });
    this.#backend ??= this.#start();
    const { spec, weights } = trained;
    return createStudioModel({ name, spec, weights, backend: await this.#backend });
  }

  async #makeRoom(): Promise<void> {
    for (const [key, { model }] of this.#loaded) {
      if (this.#loaded.size <= MOST_LOADED) return;
      this.#loaded.delete(key);
      await model.dispose();
    }
  }
}
