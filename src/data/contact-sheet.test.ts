import { expect, it } from "vitest";
import { contactSheet } from "./contact-sheet.ts";

it("a contact sheet shows every pixel of every tile, row by row, with a gap around", () => {
  const shape = [3, 1, 2] as const;
  const tiles = [0, 1, 2].map((i) => Uint8Array.from({ length: 6 }, (_, k) => 10 * i + k));
  const { width, height, data } = contactSheet(tiles, { shape, columns: 2, zoom: 2, gap: 1 });
  expect([width, height]).toEqual([1 + 2 * 5, 1 + 2 * 3]);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  const white = [255, 255, 255];
  const row = [white, [0, 2, 4], [0, 2, 4], [1, 3, 5], [1, 3, 5], white];
  expect(row.map((_, x) => at(x, 1))).toEqual(row);
  expect(row.map((_, x) => at(x, 2))).toEqual(row);
  expect(row.map((_, x) => at(x, 3))).toEqual(row.map(() => white));
  expect(at(6, 2)).toEqual([10, 12, 14]);
  expect(at(4, 5)).toEqual([21, 23, 25]);
  expect(at(6, 5)).toEqual(white);
});

it("one channel is shown as grey", () => {
  const { data } = contactSheet([Uint8Array.of(7)], { shape: [1, 1, 1], columns: 1, gap: 0 });
  expect([...data]).toEqual([7, 7, 7]);
});
