/** Weight of the past in the running mean. */
const KEEP = 0.95;

/** Time of the steps of a run, the recent ones counting most; what lies between two epochs does not count. */
export class Pace {
  readonly #now: () => number;
  #last?: number;
  #mean?: number;
  #latest?: number;

  /** @param now a clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A step is done. */
  step(): void {
    const now = this.#now();
    this.#latest = this.#last === undefined ? undefined : (now - this.#last) / 1000;
    if (this.#latest !== undefined)
      this.#mean = this.#mean === undefined ? this.#latest : KEEP * this.#mean + (1 - KEEP) * this.#latest;
    this.#last = now;
  }

  /** Something else than steps begins. */
  pause(): void {
    this.#last = undefined;
  }

  /** Of the step done last; undefined for the first one and the first after a pause. */
  get latest(): number | undefined {
    return this.#latest;
  }

  /** Running mean; undefined until two steps in a row are done. */
  get secondsPerStep(): number | undefined {
    return this.#mean;
  }
}
