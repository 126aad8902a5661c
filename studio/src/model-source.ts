import type { EvidenceMap } from "../../src/explain/evidence.ts";
import type { ModelInfo, Prediction } from "../../src/studio/model.ts";

/**
 * A model that the page asks, wherever it runs: behind a server, or in the browser itself. Images are files as the user gave
 * them; a file that cannot be read rejects with an error whose message is one line for the user.
 */
export interface ModelSource {
  readonly info: ModelInfo;
  /** The best guesses, and the image as the model sees it. */
  predict(image: Blob, top?: number): Promise<Prediction>;
  /** float32 [groups, heads, queries, keys] of a layer of `info.attention`. */
  attention(image: Blob, path: string): Promise<Float32Array>;
  /** Where the image speaks for a class, by a method of `info.evidence`. */
  evidence(image: Blob, method: string, target: number): Promise<EvidenceMap>;
}

/** A model that can be opened. */
export interface ModelEntry {
  /** What the address of the page calls it. */
  readonly id: string;
  readonly name: string;
  /** Name in the table of models. */
  readonly model: string;
}

/** Where the page has its models from. */
export interface Models {
  list(): Promise<readonly ModelEntry[]>;
  /** Loads a model. Rejects with an error whose message is one line for the user. */
  open(id: string): Promise<ModelSource>;
}
