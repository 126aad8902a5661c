import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuzzing } from "../../test/fuzz.ts";
import { storedZip } from "../../test/stored-zip.ts";
import { files } from "../../test/weight-files.ts";
import { TesseraeError } from "../errors.ts";
import { readNpz } from "./npz.ts";

const base = Array.from({ length: 12 }, (_, i) => i);

/** An .npy file of this header. */
function npy(header: string, data = new Uint8Array(0)): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(header), data]);
}
const head = (descr: string, shape: string) => `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;

async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await readNpz(bytes, "m.npz").catch((e) => e);
  expect(error).toBeInstanceOf(TesseraeError);
  expect((error as TesseraeError).message).toMatch(/^m\.npz: [^\p{Cc}]{1,400}$/u);
  return (error as TesseraeError).message;
}

describe("NumPy archives", () => {
  it("are read by rows, whatever order they were saved in", async () => {
    const read = await readNpz(files.npz);
    expect([...read.keys()]).toEqual(["a/b", "f", "i", "s"]);
    for (const name of ["a/b", "f"]) {
      expect(read.get(name)?.shape).toEqual([3, 4]);
      expect([...(read.get(name)?.data ?? [])]).toEqual(base);
    }
    expect(read.get("i")).toMatchObject({ dtype: "int64", shape: [3] });
    expect(read.get("s")).toMatchObject({ dtype: "float32", shape: [] });
  });

  it("may be compressed", async () => {
    const read = await readNpz(files.npzc);
    expect(read.get("z")?.data).toEqual(new Float32Array(10_000));
    expect([...(read.get("a")?.data ?? [])]).toEqual(base);
  });

  const hostile: [string, Uint8Array, RegExp][] = [
    ["objects", files.npzo, /type "\|O"/],
    ["something else", storedZip({ "a.txt": Buffer.from("x") }), /no array/],
    ["no magic", storedZip({ "a.npy": new Uint8Array(100) }), /NumPy's format/],
    ["a header beyond the file", storedZip({ "a.npy": npy(head("<f4", "(1,)")).subarray(0, 30) }), /header of/],
    ["code in the header", storedZip({ "a.npy": npy("__import__('os').system('x')") }), /not read/],
    ["a negative size", storedZip({ "a.npy": npy(head("<f4", "(-1,)")) }), /not read/],
    ["a huge size", storedZip({ "a.npy": npy(head("<f4", "(99999999999, 99999999999)")) }), /do not hold/],
    ["big-endian numbers", storedZip({ "a.npy": npy(head(">f4", "(1,)"), new Uint8Array(4)) }), /">f4"/],
    ["a type off the prototype", storedZip({ "a.npy": npy(head("constructor", "()")) }), /"constructor"/],
    ["too few elements", storedZip({ "a.npy": npy(head("<f4", "(2,)"), new Uint8Array(7)) }), /do not hold/],
    ["an unknown compression", storedZip({ "a.npy": npy(head("<f4", "()")) }, 12), /method 12/],
    ["what is not deflated", storedZip({ "a.npy": npy(head("<f4", "()")) }, 8, 50), /deflated|unpack/],
    [
      "a bomb",
      storedZip({ "a.npy": deflateRawSync(npy(head("<f4", "(25000000,)"), new Uint8Array(1e8))) }, 8, 1e8 + 74),
      /claim 100000074 bytes/,
    ],
    ["a bomb that says it is small", storedZip({ "a.npy": deflateRawSync(new Uint8Array(1e8)) }, 8, 999), /unpack/],
  ];
  it.each(hostile)("of %s are refused, quickly and in little memory", async (_, bytes, says) => {
    const before = process.memoryUsage();
    expect(await refusal(bytes)).toMatch(says);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(50e6);
  });
});

describe("NumPy archives, fuzzed", () => {
  it("never crash when damaged", async () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(files.npz, files.npzc), edits, fc.nat(100), async (file, e, cut) => {
        const bytes = file.slice();
        for (const [at, value] of e) bytes[at % bytes.byteLength] = value;
        for (const input of [bytes, bytes.subarray(0, bytes.byteLength - cut)]) {
          try {
            for (const { shape, data } of (await readNpz(input)).values())
              expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
          } catch (error) {
            if (!(error instanceof TesseraeError)) throw error;
          }
        }
      }),
      fuzzing(5, { runs: 1500, seconds: 6 }),
    );
  });
});
