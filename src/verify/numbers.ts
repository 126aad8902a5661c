export const relative = (ours: number, theirs: number): number =>
  Math.abs(ours - theirs) / Math.max(Math.abs(theirs), 1e-12);

/** L2 norm. */
export const norm = (x: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return Math.sqrt(sum);
};

/** The largest value; NaN counts as infinitely wrong. */
export const worstOf = (values: readonly number[]): number =>
  values.reduce((a, v) => (Number.isNaN(v) ? Infinity : Math.max(a, v)), 0);
