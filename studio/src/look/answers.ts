import type { EvidenceMap } from "../../../src/explain/evidence.ts";
import type { Prediction } from "../../../src/studio/model.ts";
import type { ModelSource } from "../model-source.ts";
import type { GivenImage } from "./images.ts";

/** Answers of one model that are kept: a pointer or slider asks for the same again and again. */
export interface Answers {
  predict(image: GivenImage): Promise<Prediction>;
  attention(image: GivenImage, path: string): Promise<Float32Array>;
  evidence(image: GivenImage, method: string, target: number): Promise<EvidenceMap>;
}

/** Answers kept at a time; weights of a layer may take a megabyte. */
const MOST_KEPT = 48;

const known = new WeakMap<ModelSource, Answers>();

/** A model that remembers what it was asked last. */
export function answers(model: ModelSource): Answers {
  const found = known.get(model);
  if (found) return found;
  const kept = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const before = kept.get(key) as Promise<T> | undefined;
    const answer = before ?? ask();
    kept.delete(key);
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as string);
    return answer;
  };
  const made: Answers = {
    predict: (image) => once(`p ${image.id}`, () => model.predict(image.blob)),
    attention: (image, path) => once(`a ${image.id} ${path}`, () => model.attention(image.blob, path)),
    evidence: (image, method, target) =>
      once(`e ${image.id} ${method} ${target}`, () => model.evidence(image.blob, method, target)),
  };
  known.set(model, made);
  return made;
}
