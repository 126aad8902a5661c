/**
 * How long a property is tried: `runs` times and at most `seconds` with a fixed seed, so that `npm test` is the same each time; or,
 * where FUZZ_SECONDS is set (`npm run fuzz`), for that long over the `shares` properties of a reader, with a seed of the
 * clock, which fast-check prints with a failure.
 */
export function fuzzing(
  seed: number,
  { runs, seconds, shares = 1 }: { runs: number; seconds: number; shares?: number },
) {
  const given = Number(process.env.FUZZ_SECONDS ?? 0);
  return given > 0
    ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: (1000 * given) / shares }
    : { seed, numRuns: runs, interruptAfterTimeLimit: 1000 * seconds };
}
