import type { ColumnMetaData } from "hyparquet";
import { describe, expect, it } from "vitest";
import { checkPages } from "./parquet-pages.ts";

const zigzag = (n: number): number => (n < 0 ? -2 * n - 1 : 2 * n);
/** Thrift's compact struct of 32-bit fields 1, 2, 3... below 64, and structs. */
const struct = (...fields: (number | number[])[]): number[] => [
  ...fields.flatMap((f) => (Array.isArray(f) ? f : [0x15, zigzag(f)])),
  0,
];

/** A chunk of one data page: the header's sizes and count, then `body` bytes. */
function chunk({ bytes = 20, packed = 20, values = 2, body = 20 } = {}): ArrayBuffer {
  const page = struct(values, 0, 3, 3);
  // Fields 1 to 3, then field 5 (two further on), a struct.
  const header = [0x15, 0, 0x15, zigzag(bytes), 0x15, zigzag(packed), 0x2c, ...page, 0];
  return Uint8Array.from([...header, ...Array(body).fill(0)]).buffer;
}

const column = { num_values: 2n } as ColumnMetaData;
const check = (of: ArrayBuffer) => () => checkPages(of, column, 2 ** 20);

describe("page headers", () => {
  it("that say the truth pass", () => {
    expect(check(chunk())).not.toThrow();
  });

  it.each([
    ["a negative size, which would be read for ever", { packed: -20 }, "a page of -20 packed bytes"],
    ["more bytes than there are", { packed: 30 }, "a page of 30 packed bytes"],
    ["negative bytes unpacked", { bytes: -1 }, "a page of -1 bytes"],
    ["more values than the column", { values: 3 }, "a page of 3 values"],
    ["negative values", { values: -1 }, "a page of -1 values"],
  ])("that announce %s are refused", (_, of, says) => {
    expect(check(chunk(of))).toThrow(says);
  });

  it("that end early are refused", () => {
    expect(check(chunk().slice(0, 4))).toThrow();
  });
});
