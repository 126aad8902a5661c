import { corruption } from "./corruption.ts";
import { mapped } from "./planes.ts";

/** Light-sensitive sensors in the dark: x + N(0, s²). */
export const gaussianNoise = corruption("noise", [0.08, 0.12, 0.18, 0.26, 0.38], (image, deviation, random) =>
  mapped(image, (v) => v + deviation * random.normal()),
);

/** The grain of light itself: Poisson(c·x) / c. */
export const shotNoise = corruption("noise", [60, 25, 12, 5, 3], (image, count, random) => {
  const tables = new Map<number, Float64Array>();
  const tableOf = (mean: number): Float64Array => {
    const table = tables.get(mean) ?? poissonTable(mean);
    tables.set(mean, table);
    return table;
  };
  return mapped(image, (v) => firstAbove(tableOf(count * v), random.uniform()) / count);
});

/** Broken pixels: a part of the values becomes 0 or 1, each as likely. */
export const impulseNoise = corruption("noise", [0.03, 0.06, 0.09, 0.17, 0.27], (image, part, random) =>
  mapped(image, (v) => {
    const u = random.uniform();
    return u >= part ? v : Number(u < part / 2);
  }),
);

/** P(X <= k) of a Poisson variable for k = 0, 1, ... until 32 bits see no more. */
export function poissonTable(mean: number): Float64Array {
  const table: number[] = [];
  let [p, sum] = [Math.exp(-mean), 0];
  for (let k = 1; sum < 1 - 2 ** -33 && k < 1000; k++) {
    sum += p;
    table.push(sum);
    p *= mean / k;
  }
  return Float64Array.from(table);
}

function firstAbove(table: Float64Array, u: number): number {
  let k = 0;
  while (k < table.length - 1 && table[k] <= u) k++;
  return k;
}
