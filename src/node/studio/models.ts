import { TesseraeError } from "../../errors.ts";
import type { Backend } from "../../runtime/backend.ts";
import { createStudioModel, type StudioModel } from "../../studio/model.ts";
import { isCheckpointFolder } from "../../train/checkpoint.ts";
import { openTrained } from "../model-files.ts";
import { checkLinks, namesIn, type Place } from "./folders.ts";

/** Models in memory at a time: two to compare, and one that was looked at before. */
const MOST_LOADED = 3;

/** Questions that may wait for the engine; more are refused. */
const MOST_WAITING = 16;

interface Loaded {
  /** Which weights they are. */
  readonly key: string;
  readonly model: StudioModel;
}

/** The models of runs, loaded when they are asked. The engine answers one question after another. */
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

  /** Asks the model of a run when it is its turn. Throws TesseraeError: "runtime" where too many wait, and what `question` throws. */
  use<T>(place: Place, question: (model: StudioModel) => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING)
      throw new TesseraeError("runtime", "too many questions wait for the engine: ask again later");
    this.#waiting++;
    const answer = this.#turn.then(async () => question(await this.#open(place)));
    this.#turn = answer.catch(() => {}).finally(() => this.#waiting--);
    return answer;
  }

  async close(): Promise<void> {
    await this.#turn;
    for (const { model } of this.#loaded.values()) await model.dispose();
    this.#loaded.clear();
    await (await this.#backend)?.dispose();
  }

  async #open(place: Place): Promise<StudioModel> {
    const key = (await namesIn(place)).filter(isCheckpointFolder).sort().join();
    const known = this.#loaded.get(place.path);
    this.#loaded.delete(place.path);
    if (known?.key === key) {
      this.#loaded.set(place.path, known);
      return known.model;
    }
    await known?.model.dispose();
    const model = await this.#load(place);
    this.#loaded.set(place.path, { key, model });
    await this.#makeRoom();
    return model;
  }

  async #load(place: Place): Promise<StudioModel> {
    await checkLinks(place);
    const trained = await openTrained(place.path);
    if (trained.kind === "onnx") throw new TesseraeError("internal", "a run opened as an export");
    this.#backend ??= this.#start();
    const { spec, weights } = trained;
    return createStudioModel({ name: place.name, spec, weights, backend: await this.#backend });
  }

  async #makeRoom(): Promise<void> {
    for (const [path, { model }] of this.#loaded) {
      if (this.#loaded.size <= MOST_LOADED) return;
      this.#loaded.delete(path);
      await model.dispose();
    }
  }
}
