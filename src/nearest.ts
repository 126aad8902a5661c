/** Levenshtein distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}

/** Up to `count` known names close enough to a mistyped one to be worth suggesting. */
export function nearest(name: string, known: Iterable<string>, count = 3): string[] {
  const limit = Math.max(2, Math.ceil(name.length * 0.4));
  return [...known]
    .map((k) => [k.includes(name) && name.length > 2 ? 1 : editDistance(name, k), k] as const)
    .filter(([d]) => d <= limit)
    .sort(([a], [b]) => a - b)
    .slice(0, count)
    .map(([, k]) => k);
}
