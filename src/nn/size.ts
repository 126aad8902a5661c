/** Height and width. */
export type Size = readonly [number, number];

export const pair = (size: number | Size): Size => (typeof size === "number" ? [size, size] : size);
