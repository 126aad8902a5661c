/** Takes part in an evaluation: sees each batch's logits [labels.length, classes]; label -1 does not count. */
export interface LogitsMeter {
  add(logits: Float32Array, labels: ArrayLike<number>, classes: number): void;
}

/** How well one class is told from the others; shares are in percent. */
export interface ClassQuality {
  readonly name: string;
  readonly images: number;
  /** Of its images, those given its name: recall. Undefined without images. */
  readonly accuracy?: number;
  /** Of the images given its name, those that are of it. Undefined where none is. */
  readonly precision?: number;
  /** Harmonic mean of the two. */
  readonly f1?: number;
  /** The class that its images are taken for most, and how many. */
  readonly mistakenFor?: { readonly name: string; readonly images: number };
}

/** Counts of (true class, best guess). Of equal logits the lower class is the guess; a row with NaN has none, as in `Meter`. */
export class Confusion implements LogitsMeter {
  readonly classes: readonly string[];
  /** [true class, guess], row by row. */
  readonly counts: Uint32Array;
  /** Images of each class. */
  readonly #images: Uint32Array;

  constructor(classes: readonly string[]) {
    this.classes = classes;
    this.counts = new Uint32Array(classes.length ** 2);
    this.#images = new Uint32Array(classes.length);
  }

  add(logits: Float32Array, labels: ArrayLike<number>, classes: number): void {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i];
      if (label < 0) continue;
      this.#images[label]++;
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const guess = largest(row);
      if (!row.some(Number.isNaN)) this.counts[label * classes + guess]++;
    }
  }

  /** Rows: true class; columns: guess. */
  get matrix(): number[][] {
    const n = this.classes.length;
    return this.classes.map((_, c) => [...this.counts.subarray(c * n, (c + 1) * n)]);
  }

  get perClass(): ClassQuality[] {
    return this.classes.map((name, c) => this.#quality(name, c));
  }

  #quality(name: string, c: number): ClassQuality {
    const n = this.classes.length;
    const row = this.counts.subarray(c * n, (c + 1) * n);
    let guessed = 0;
    for (let k = 0; k < n; k++) guessed += this.counts[k * n + c];
    const [images, right] = [this.#images[c], row[c]];
    const wrong = largest(row, c);
    return {
      name,
      images,
      ...(images > 0 && { accuracy: (100 * right) / images }),
      ...(guessed > 0 && { precision: (100 * right) / guessed }),
      ...(images + guessed > 0 && { f1: (200 * right) / (images + guessed) }),
      ...(wrong >= 0 && row[wrong] > 0 && { mistakenFor: { name: this.classes[wrong], images: row[wrong] } }),
    };
  }
}

/** Index of the largest value, the first of equals; `without` is passed over; -1 where nothing is left. */
function largest(values: ArrayLike<number>, without = -1): number {
  let best = -1;
  for (let k = 0; k < values.length; k++) if (k !== without && (best < 0 || values[k] > values[best])) best = k;
  return best;
}
