/**
 * How long a property is tried: `runs` times and at most `seconds` with a fixed seed, so that `npm test` is the same each time; or,
 * where FUZZ_SECONDS is set (`npm run fuzz`), for that long over the `shares` properties of a reader, with the seed FUZZ_SEED or
 * one of the clock, which fast-check prints with a failure.
 */
export function fuzzing(
  seed: number,
  { runs, seconds, shares = 1 }: { runs: number; seconds: number; shares?: number },
) {
  const given = Number(process.env.FUZZ_SECONDS ?? 0);
  const clock = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
  return given > 0
    ? { ...clock, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: (1000 * given) / shares }
    : { seed, numRuns: runs, interruptAfterTimeLimit: 1000 * seconds };
}
