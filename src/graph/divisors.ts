/** The whole numbers that divide n, from 1 up. */
export const divisors = (n: number): number[] => [...Array(n).keys()].map((i) => i + 1).filter((d) => n % d === 0);
