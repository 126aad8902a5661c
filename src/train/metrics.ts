/** Quality over a set of images: mean cross-entropy, and the shares (0 to 100) whose label is the best guess or among the best five. */
export interface Metrics {
  readonly loss: number;
  readonly top1: number;
  readonly top5: number;
  /** Images counted. */
  readonly count: number;
}

/** log Σ exp of one row. */
function logSumExp(row: Float32Array): number {
  let max = -Infinity;
  for (const v of row) if (v > max) max = v;
  let sum = 0;
  for (const v of row) sum += Math.exp(v - max);
  return max + Math.log(sum);
}

/** Sums metrics over batches; every image counts once, label -1 not at all. */
export class Meter {
  #loss = 0;
  #top1 = 0;
  #top5 = 0;
  #count = 0;

  /** @param logits [labels.length, classes] */
  add(logits: Float32Array, labels: ArrayLike<number>, classes: number): void {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (label < 0) continue;
      const row = logits.subarray(i * classes, (i + 1) * classes);
      this.#loss += logSumExp(row) - row[label];
      const rank = rankOf(row, label);
      this.#top1 += Number(rank < 1);
      this.#top5 += Number(rank < 5);
      this.#count++;
    }
  }

  get metrics(): Metrics {
    const n = Math.max(1, this.#count);
    return { loss: this.#loss / n, top1: (100 * this.#top1) / n, top5: (100 * this.#top5) / n, count: this.#count };
  }
}

/** Classes placed before the label; of equals, the lower index comes first. A row with NaN ranks last. */
function rankOf(row: Float32Array, label: number): number {
  const own = row[label];
  let rank = 0;
  for (let k = 0; k < row.length; k++) if (!(row[k] < own || (row[k] === own && k >= label))) rank++;
  return rank;
}

/** Softmax of one row. */
export function probabilities(row: Float32Array): Float32Array {
  const shift = logSumExp(row);
  return row.map((v) => Math.exp(v - shift));
}

/** Indices of the k largest, best first. */
export const topK = (row: Float32Array, k: number): number[] =>
  [...row.keys()].sort((a, b) => row[b] - row[a] || a - b).slice(0, k);
