import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuzzing } from "../../test/fuzz.ts";
import { TesseraeError } from "../errors.ts";
import { bytesOf, type HostTensor, hostTensor, tensorFromBytes } from "./host-tensor.ts";
import { parseHeader, readSafetensors, writeSafetensors } from "./safetensors.ts";

function concat(chunks: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.byteLength;
  }
  return out;
}

/** A file with this header text (or bytes) and so many bytes of data. */
function file(header: string | Uint8Array, data = 0, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const out = new Uint8Array(8 + text.byteLength + data);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(text.byteLength), true);
  out.set(text, 8);
  return out;
}

const f32 = (shape: number[], begin: number, end: number) =>
  `{"dtype":"F32","shape":[${shape}],"data_offsets":[${begin},${end}]}`;

/** Reads and expects one TesseraeError("weights") of one line. */
function refusal(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes, { where: "m.safetensors" });
  } catch (error) {
    expect(error).toBeInstanceOf(TesseraeError);
    const { code, message } = error as TesseraeError;
    expect(code).toBe("weights");
    expect(message).toMatch(/^m\.safetensors: [^\p{Cc}\p{Zl}\p{Zp}]{1,400}$/u);
    return message;
  }
  throw new Error("the file was accepted");
}

const sample = new Map<string, HostTensor>([
  ["b.bias", hostTensor("int8", [3], Int8Array.of(-1, 0, 1))],
  ["a.weight", hostTensor("float32", [2, 2], Float32Array.of(1, 2, 3, 4))],
  ["steps", hostTensor("int64", [], BigInt64Array.of(-7n))],
  ["none", hostTensor("float32", [0, 5], new Float32Array(0))],
  ["half", hostTensor("bfloat16", [1], Uint16Array.of(0x3f80))],
]);

describe("safetensors", () => {
  it("reads back what it wrote, in the same order, aligned and without copying", () => {
    const bytes = concat(writeSafetensors(sample, new Map([["format", "pt"]])));
    const back = readSafetensors(bytes);
    expect([...back.keys()]).toEqual([...sample.keys()]);
    expect(back).toEqual(sample);
    for (const { data } of back.values()) expect(data.buffer).toBe(bytes.buffer);
    const { metadata, dataStart } = parseHeader(bytes);
    expect(metadata).toEqual(new Map([["format", "pt"]]));
    expect(dataStart % 8).toBe(0);
  });

  it("hands out the tensors' own memory when writing", () => {
    const chunks = writeSafetensors(sample);
    expect(chunks).toHaveLength(1 + sample.size);
    expect(chunks.some(({ buffer }) => buffer === sample.get("a.weight")?.data.buffer)).toBe(true);
  });

  it("reads a file of unaligned data at an odd offset in memory", () => {
    const inner = file(
      `{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}`,
      5,
    );
    new DataView(inner.buffer).setFloat32(inner.byteLength - 4, 2.5, true);
    const outer = new Uint8Array(inner.byteLength + 3);
    outer.set(inner, 3);
    expect(readSafetensors(outer.subarray(3)).get("y")?.data[0]).toBe(2.5);
  });

  it("needs only the header where the file's size is given", () => {
    const bytes = concat(writeSafetensors(sample));
    const { dataStart, tensors } = parseHeader(bytes);
    const head = bytes.subarray(0, dataStart);
    expect(parseHeader(head, { fileSize: bytes.byteLength }).tensors).toEqual(tensors);
    expect(() => parseHeader(head, { fileSize: bytes.byteLength - 1 })).toThrow(TesseraeError);
    expect(() => parseHeader(head.subarray(0, -1), { fileSize: bytes.byteLength })).toThrow("bytes were given");
  });

  it("keeps names that are traps for plain objects, and any Unicode", () => {
    const names = ["__proto__", "constructor", "toString", "0", "", 'q"\\\n\u2028', "é", "重み", "😀", "length"];
    const tensors = new Map(names.map((name, i) => [name, hostTensor("float32", [1], Float32Array.of(i))]));
    const back = readSafetensors(concat(writeSafetensors(tensors)));
    expect(back).toEqual(tensors);
    expect([...back.keys()]).toEqual(names);
    expect(({} as Record<string, unknown>)["dtype"]).toBeUndefined();
  });

  const offsets = (text: string) => `{"a":{"dtype":"F32","shape":[1],"data_offsets":${text}}}`;
  const shape = (text: string) => `{"a":{"dtype":"F32","shape":${text},"data_offsets":[0,4]}}`;
  const hostile: [what: string, bytes: Uint8Array, says: string][] = [
    ["nothing at all", new Uint8Array(0), "too few"],
    ["seven bytes", new Uint8Array(7), "too few"],
    ["a header length of 0", file("", 0), "does not start with {"],
    ["a header longer than the file", file("{}", 0, 3n), "a header of 3 bytes in a file of 10"],
    ["a header length of 2^63", file("{}", 0, 2n ** 63n), "9223372036854775808"],
    ["a header length of 2^64-1", file("{}", 0, 2n ** 64n - 1n), "18446744073709551615"],
    ["a header that is not JSON", file("{nope}"), "expected"],
    ["a header that is a list", file("[]"), "does not start with {"],
    ["a header that is a string", file('"{}"'), "does not start with {"],
    ["a header cut short", file('{"a":{"dtype":"F32","sha'), "without an end"],
    ["text after the header", file("{} {}"), "after the end"],
    ["a header that is not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a)), "UTF-8"],
    ["half a surrogate pair", file(`{"\\ud800":${f32([1], 0, 4)}}`, 4), "surrogate"],
    ["a control character", file(`{"a\n":${f32([1], 0, 4)}}`, 4), "control character"],
    ["a bad escape", file(`{"\\x":${f32([1], 0, 4)}}`, 4), "UTF-8 or JSON"],
    ["a name twice", file(`{"a":${f32([1], 0, 4)},"a":${f32([1], 4, 8)}}`, 8), '"a" is there twice'],
    ["a name twice by an escape", file(`{"a":${f32([0], 0, 0)},"\\u0061":${f32([0], 0, 0)}}`), "twice"],
    ["a field twice", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "repeated"],
    ["metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`), "twice"],
    ["a metadata key twice", file(`{"__metadata__":{"k":"1","k":"2"}}`), "twice"],
    ["metadata that is not text", file(`{"__metadata__":{"k":1}}`), "expected"],
    ["a tensor that is null", file(`{"a":null}`), "expected"],
    ["an unknown field", file(`{"__proto__":{"__proto__":[1]}}`), '"__proto__"'],
    ["no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4), "lacks"],
    ["an unknown dtype", file(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1), "F8_E4M3"],
    ["a dtype off the prototype", file(`{"a":{"dtype":"constructor","shape":[],"data_offsets":[0,4]}}`, 4), "dtype"],
    ["a negative size", file(shape("[-1]"), 4), "non-negative integer"],
    ["a fractional size", file(shape("[1.5]"), 4), "non-negative integer"],
    ["an exponent", file(shape("[1e0]"), 4), "non-negative integer"],
    ["a size with a leading zero", file(shape("[01]"), 4), "non-negative integer"],
    ["a size as text", file(shape('["1"]'), 4), "non-negative integer"],
    ["a size above 2^53", file(shape("[9007199254740993]"), 4), "2^53"],
    ["a size of a thousand digits", file(shape(`[${"9".repeat(1000)}]`), 4), "2^53"],
    ["a product that wraps 2^64", file(shape("[4294967296,4294967296,4]"), 4), "do not hold"],
    ["a product that is huge before its 0", file(`{"a":${f32([2 ** 32, 2 ** 32, 0], 0, 0)}}`), "do not hold"],
    ["a shape of 65 axes", file(shape(`[${Array(65).fill(1)}]`), 4), "more than 64"],
    ["a shape that is deep", file(shape("[".repeat(100_000)), 4), "non-negative integer"],
    ["a range too short", file(offsets("[0,3]"), 4), "do not hold"],
    ["a range too long", file(offsets("[0,8]"), 8), "do not hold"],
    ["a range backwards", file(offsets("[4,0]"), 4), "do not hold"],
    ["a range of one number", file(offsets("[0]"), 4), "lacks"],
    ["a range of three numbers", file(offsets("[0,4,4]"), 4), "more than 2"],
    ["a range beyond the data", file(offsets("[0,4]"), 3), "ends at byte 4 of 3"],
    ["an overlap", file(`{"a":${f32([2], 0, 8)},"b":${f32([1], 4, 8)}}`, 8), "overlaps"],
    ["two tensors in one place", file(`{"a":${f32([1], 0, 4)},"b":${f32([1], 0, 4)}}`, 4), "overlaps"],
    ["a hole", file(`{"a":${f32([1], 0, 4)},"b":${f32([1], 8, 12)}}`, 12), "a hole of 4 bytes"],
    ["a hole at the start", file(offsets("[4,8]"), 8), "a hole of 4 bytes"],
    ["bytes at the end", file(offsets("[0,4]"), 5), "1 bytes after"],
    ["data without tensors", file("{}", 1), "1 bytes after"],
    ["a name that floods the terminal", file(`{"${"\\u001b[2J\\u2028".repeat(9999)}":{"x":1}}`), "unknown"],
  ];

  it.each(hostile)("refuses %s in one line", (_, bytes, says) => {
    expect(refusal(bytes)).toContain(says);
  });

  it("refuses large bad files at once and in little memory", () => {
    const repeated = (text: string, mebibytes: number) =>
      new TextEncoder().encode(text.repeat((mebibytes * 2 ** 20) / text.length));
    const cases = [
      file(repeated("{", 40)), // above the header limit
      file(repeated(" ", 31)),
      file(repeated('{"', 31)),
      file(repeated("[[[[", 31)),
      file(`{"a":{"dtype":"F32","shape":[${"0,".repeat(15 * 2 ** 20)}`),
      file(`{"${"x".repeat(31 * 2 ** 20)}`),
    ];
    for (const bytes of cases) {
      const measure = () => {
        const before = process.memoryUsage();
        const start = process.cpuUsage();
        refusal(bytes);
        const { user, system } = process.cpuUsage(start);
        const after = process.memoryUsage();
        const memory = after.heapUsed + after.external - before.heapUsed - before.external;
        return (user + system) / 1000 < 1000 && memory < 50e6;
      };
      // The best of several: other work shares the machine, of which a slow one takes 0.1 s.
      expect(Array.from({ length: 8 }).some(measure)).toBe(true);
    }
  });

  it("opens 100,000 tensors in under a second", () => {
    const tensors = new Map<string, HostTensor>();
    for (let i = 0; i < 100_000; i++)
      tensors.set(`blocks.${i}.attn.qkv.weight`, hostTensor("float32", [1], Float32Array.of(i)));
    const bytes = concat(writeSafetensors(tensors));
    let took = Number.POSITIVE_INFINITY;
    let back = new Map<string, HostTensor>();
    for (let attempt = 0; attempt < 3 && took > 1000; attempt++) {
      const start = performance.now();
      back = readSafetensors(bytes);
      took = Math.min(took, performance.now() - start);
    }
    expect(back.size).toBe(100_000);
    expect(back.get("blocks.99999.attn.qkv.weight")?.data[0]).toBe(99_999);
    expect(took).toBeLessThan(1000);
  });

  it("refuses to write what a file cannot hold", () => {
    const write = (name: string, tensor: HostTensor) => () => writeSafetensors(new Map([[name, tensor]]));
    const one = hostTensor("float32", [1], Float32Array.of(1));
    expect(write("__metadata__", one)).toThrow(TesseraeError);
    expect(write("\ud800", one)).toThrow(TesseraeError);
    expect(write("a", { ...one, shape: [2] })).toThrow("do not hold");
    expect(write("a", { ...one, shape: [-1] })).toThrow("not a shape");
  });
});

describe("safetensors, fuzzed", () => {
  const dtype = fc.constantFrom("float32", "float16", "int64", "bool", "int8", "float64");
  const bytesEach = { float32: 4, float16: 2, int64: 8, bool: 1, int8: 1, float64: 8 };
  const tensor = fc.tuple(dtype, fc.array(fc.nat(4), { maxLength: 4 })).map(([kind, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return tensorFromBytes(kind, shape, new Uint8Array(count * bytesEach[kind]).fill(1));
  });
  const name = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => text !== "__metadata__");
  const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 6 }).map((entries) => new Map(entries));

  /** Either a map whose tensors fit their data, or a TesseraeError. */
  function opens(bytes: Uint8Array): void {
    try {
      for (const [, { shape, data }] of readSafetensors(bytes))
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
    } catch (error) {
      if (!(error instanceof TesseraeError)) throw error;
      expect(error.message).not.toMatch(/\n/);
    }
  }

  it("reads back every set of tensors bit for bit", () => {
    fc.assert(
      fc.property(tensors, (map) => {
        const back = readSafetensors(concat(writeSafetensors(map)));
        expect([...back.keys()]).toEqual([...map.keys()]);
        for (const [key, value] of map) {
          expect(back.get(key)?.shape).toEqual(value.shape);
          expect(bytesOf(back.get(key)!)).toEqual(bytesOf(value));
        }
      }),
      fuzzing(7, { runs: 300, seconds: 2, shares: 4 }),
    );
  });

  it("never crashes on a damaged file", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(tensors, damage, fc.nat(20), (map, edits, cut) => {
        const bytes = concat(writeSafetensors(map));
        for (const [at, value] of edits) bytes[at % bytes.byteLength] = value;
        opens(bytes);
        opens(bytes.subarray(0, Math.max(0, bytes.byteLength - cut)));
      }),
      fuzzing(7, { runs: 3000, seconds: 2, shares: 4 }),
    );
  });

  it("never crashes on headers of its own vocabulary in any order", () => {
    const word = fc.constantFrom(
      ...["{", "}", "[", "]", ",", ":", '"a"', '"dtype"', '"F32"', '"shape"', '"data_offsets"', '"__proto__"', "\\"],
      ...[
        '"__metadata__"',
        "0",
        "4",
        "-1",
        "1e9",
        "9007199254740992",
        "null",
        '"',
        " ",
        '{"a":{"dtype":"F32","shape":[',
      ],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => opens(file(`{${words.join("")}`, 4))),
      fuzzing(7, { runs: 3000, seconds: 2, shares: 4 }),
    );
  });

  it("never crashes on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        opens(bytes);
        opens(file(bytes, 4));
      }),
      fuzzing(7, { runs: 2000, seconds: 2, shares: 4 }),
    );
  });
});
