import type { EvidenceMap } from "../../../src/explain/evidence.ts";
import type { Prediction } from "../../../src/studio/model.ts";
import type { ModelSource } from "../model-source.ts";
import type { GivenImage } from "./images.ts";

/** Answers of one model that are kept: a pointer or slider asks for the same again and again. */
export interface Answers {
  /** Tells one model from another of the same name. */
  readonly id: number;
  predict(image: GivenImage): Promise<Prediction>;
  attention(image: GivenImage, path: string): Promise<Float32Array>;
  evidence(image: GivenImage, method: string, target: number): Promise<EvidenceMap>;
}

/** Answers of each kind kept at a time. */
const MOST_KEPT = 64;

/** Bytes of attention kept at a time, two layers at least: a large model's layer takes tens of megabytes. */
const MOST_BYTES = 256 * 2 ** 20;

/** Keeps what was asked last; what failed is asked again. */
function keeper(most: number): <T>(key: string, ask: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Promise<unknown>>();
  return <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const answer = (kept.get(key) as Promise<T> | undefined) ?? ask();
    kept.delete(key);
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
    if (kept.size > most) kept.delete(kept.keys().next().value as string);
    return answer;
  };
}

/** Layers of attention that fit. */
function layersKept({ info: { attention } }: ModelSource): number {
  const sizes = attention.map(({ groups, heads, queries, keys }) => 4 * groups * heads * queries.length * keys.length);
  return Math.min(MOST_KEPT, Math.max(2, Math.floor(MOST_BYTES / Math.max(1, ...sizes))));
}

const known = new WeakMap<ModelSource, Answers>();
let count = 0;

/** A model that remembers what it was asked last. */
export function answers(model: ModelSource): Answers {
  const found = known.get(model);
  if (found) return found;
  const once = keeper(MOST_KEPT);
  const onceOfLayers = keeper(layersKept(model));
  const made: Answers = {
    id: ++count,
    predict: (image) => once(`p ${image.id}`, () => model.predict(image.blob)),
    attention: (image, path) => onceOfLayers(`a ${image.id} ${path}`, () => model.attention(image.blob, path)),
    evidence: (image, method, target) =>
      once(`e ${image.id} ${method} ${target}`, () => model.evidence(image.blob, method, target)),
  };
  known.set(model, made);
  return made;
}
