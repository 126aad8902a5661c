import { probabilities } from "./metrics.ts";

/** What a model said of one image. */
export interface Judgement {
  /** In the order of the loader. */
  readonly index: number;
  readonly label: number;
  readonly guess: number;
  /** Probability of the guess. */
  readonly confidence: number;
  /** Probability of the label. */
  readonly own: number;
}

/** Keeps what a model says of every image of an evaluation; label -1 does not count. */
export class Judgements {
  readonly all: Judgement[] = [];
  #seen = 0;

  /** @param logits [labels.length, classes] */
  add(logits: Float32Array, labels: ArrayLike<number>, classes: number): void {
    for (let i = 0; i < labels.length; i++, this.#seen++) {
      const label = labels[i];
      if (label < 0) continue;
      const p = probabilities(logits.subarray(i * classes, (i + 1) * classes));
      const guess = p.indexOf(p.reduce((most, v) => Math.max(most, v), -Infinity));
      this.all.push({ index: this.#seen, label, guess, confidence: p[guess] ?? Number.NaN, own: p[label] });
    }
  }
}

/** Images whose confidence lies in (from, to]. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly images: number;
  /** Means over them, in [0, 1]. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  readonly bins: readonly CalibrationBin[];
  /** Σ images/all · |accuracy - confidence|: the expected calibration error. */
  readonly ece: number;
}

/** Reliability by equal bins of confidence (Guo et al. 2017, On Calibration of Modern Neural Networks, eq. 3); empty bins are left out. */
export function calibration(judgements: readonly Judgement[], bins = 15): Calibration {
  const binOf = (confidence: number) => Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
  const members = Array.from({ length: bins }, (): Judgement[] => []);
  for (const j of judgements) if (!Number.isNaN(j.confidence)) members[binOf(j.confidence)].push(j);
  const mean = (list: readonly Judgement[], of: (j: Judgement) => number) =>
    list.reduce((s, j) => s + of(j), 0) / list.length;
  const filled = members.flatMap((list, b): CalibrationBin[] =>
    list.length === 0
      ? []
      : [
          {
            from: b / bins,
            to: (b + 1) / bins,
            images: list.length,
            confidence: mean(list, (j) => j.confidence),
            accuracy: mean(list, (j) => Number(j.guess === j.label)),
          },
        ],
  );
  const count = filled.reduce((sum, b) => sum + b.images, 0);
  const ece = filled.reduce((sum, b) => sum + (b.images / count) * Math.abs(b.accuracy - b.confidence), 0);
  return { bins: filled, ece };
}

/** The images that the model is worst at: least probability for their label first. */
export const hardest = (judgements: readonly Judgement[], most: number): Judgement[] =>
  [...judgements].sort((a, b) => a.own - b.own || a.index - b.index).slice(0, most);

/**
 * Images whose label may be wrong: the model says another class with at least the mean probability that it gives that class on
 * images labelled so (confident learning; Northcutt et al. 2021, section 3.1), most confident first.
 */
export function likelyMislabelled(judgements: readonly Judgement[], most: number): Judgement[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { label, own } of judgements) {
    const at = sums.get(label) ?? { sum: 0, count: 0 };
    sums.set(label, { sum: at.sum + own, count: at.count + 1 });
  }
  const threshold = (label: number) => {
    const at = sums.get(label);
    return at ? at.sum / at.count : 1;
  };
  return judgements
    .filter(({ guess, label, confidence }) => guess !== label && confidence >= threshold(guess))
    .sort((a, b) => b.confidence - a.confidence || a.index - b.index)
    .slice(0, most);
}

/** Two classes of which one is taken for the other, and the images that are, most confident first. */
export interface Confused {
  readonly label: number;
  readonly guess: number;
  readonly images: readonly Judgement[];
}

/** The pairs of classes that are confused most: by number of images, then by the classes' order. */
export function mostConfused(judgements: readonly Judgement[], most: number): Confused[] {
  const pairs = new Map<string, Judgement[]>();
  for (const j of judgements) {
    if (j.guess === j.label || j.guess < 0) continue;
    const key = `${j.label} ${j.guess}`;
    pairs.set(key, [...(pairs.get(key) ?? []), j]);
  }
  return [...pairs.values()]
    .sort((a, b) => b.length - a.length || a[0].label - b[0].label || a[0].guess - b[0].guess)
    .slice(0, most)
    .map((list) => ({
      label: list[0].label,
      guess: list[0].guess,
      images: list.sort((a, b) => b.confidence - a.confidence || a.index - b.index),
    }));
}
