import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuzzing } from "../../test/fuzz.ts";
import { storedZip } from "../../test/stored-zip.ts";
import { files } from "../../test/weight-files.ts";
import { TesseraeError } from "../errors.ts";
import type { HostTensor } from "./host-tensor.ts";
import { readTorch } from "./torch.ts";

const listed = (tensors: ReadonlyMap<string, HostTensor>) =>
  [...tensors].map(([name, { dtype, shape, data }]) => [name, dtype, [...shape], Array.from(data as Float32Array)]);

/** What the fixture's script put in. */
const views = [
  ["a", "float32", [3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ["at", "float32", [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
  ["col", "float32", [3], [2, 6, 10]],
  ["sl", "float32", [2, 2], [4, 6, 8, 10]],
  ["h", "float16", [2], [0x3e00, 0xc080]],
  ["b", "bfloat16", [2], [0x3fc0, 0xc040]],
  ["d", "float64", [1, 1], [0.1]],
  ["n", "int64", [], [7n]],
  ["t", "bool", [2], [1, 0]],
  ["p", "float32", [3], [0, 1, 2]],
  ["e", "float32", [0, 3], []],
];

async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    await readTorch(bytes, "m.pth");
  } catch (error) {
    expect(error).toBeInstanceOf(TesseraeError);
    expect((error as TesseraeError).code).toBe("weights");
    expect((error as TesseraeError).message).toMatch(/^m\.pth: [^\p{Cc}]{1,400}$/u);
    return (error as TesseraeError).message;
  }
  throw new Error("the file was accepted");
}

/** Strings stand for Latin-1 bytes. */
const bytesOf = (p: string | number | Uint8Array): Uint8Array =>
  typeof p === "number" ? Uint8Array.of(p) : typeof p === "string" ? Buffer.from(p, "latin1") : p;

/** A pickle of these instructions in a file as torch.save writes it, with storages "0" of 8 bytes and "1" of 2^16. */
const torchFile = (...pickle: (string | number | Uint8Array)[]): Uint8Array =>
  storedZip({
    "m/data.pkl": Buffer.concat(pickle.map(bytesOf)),
    "m/byteorder": Buffer.from("little"),
    "m/data/0": new Uint8Array(8),
    "m/data/1": new Uint8Array(2 ** 16),
  });

const text = (s: string) => Buffer.concat([Uint8Array.of(0x8c, s.length), Buffer.from(s)]);
const int = (v: number) => {
  const bytes = Buffer.alloc(10, 0x8a);
  bytes[1] = 8;
  bytes.writeBigInt64LE(BigInt(v), 2);
  return bytes;
};
/** A tensor of storage "0" (two float32). */
const tensor = (offset: number, shape: number[], strides: number[], key = "0") => [
  ..."ctorch._utils\n_rebuild_tensor_v2\n((",
  ...[text("storage"), "ctorch\nFloatStorage\n", text(key), text("cpu"), int(2), "tQ"],
  ...[int(offset), "(", ...shape.map(int), "t(", ...strides.map(int), "t", 0x89, "N", "tR"],
];
const dict = (name: string, ...value: (string | number | Uint8Array)[]) => ["}", text(name), ...value, "s."];

describe("PyTorch files", () => {
  it.each(["views", "protocol4"] as const)("are read with their views, types and order: %s", async (file) => {
    expect(listed(await readTorch(files[file]))).toEqual(views);
  });

  it("are looked into where training wrapped the state dict: averages first, no module. in front", async () => {
    const read = await readTorch(files.training);
    expect(listed(read)).toEqual([["0.weight", "float32", [3, 4], Array.from({ length: 12 }, (_, i) => i + 1)]]);
  });

  it("that name anything but tensors are refused by that name, and nothing runs", async () => {
    expect(await refusal(files.evil)).toMatch(/"(posix|nt)\.system".*nothing was run/);
    expect(existsSync("/tmp/tesserae-ran")).toBe(false);
    expect(await refusal(files.namespace)).toContain('"argparse.Namespace"');
  });

  it("of the old format are refused with what to do", async () => {
    expect(await refusal(files.legacy)).toContain("before 1.6");
  });

  const hostile: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /zip format/],
    ["text", Buffer.from("<!DOCTYPE html>".repeat(9)), /zip format/],
    ["a zip cut short", files.views.subarray(0, -30), /no directory/],
    ["no pickle", storedZip({ "m/x": new Uint8Array(1) }), /no data\.pkl/],
    [
      "TorchScript",
      storedZip({ "m/data.pkl": Buffer.from("}."), "m/constants.pkl": new Uint8Array(1) }),
      /TorchScript/,
    ],
    ["another byte order", storedZip({ "m/data.pkl": Buffer.from("}."), "m/byteorder": Buffer.from("big") }), /"big"/],
    ["an empty pickle", torchFile(), /cut short/],
    ["a number", torchFile("K", 1, "."), /no state dict/],
    ["an empty dict", torchFile("}."), /no state dict/],
    ["an unknown instruction", torchFile("\xff"), /unknown instruction/],
    ["an INST", torchFile("(ios\nsystem\n."), /unknown instruction/],
    ["an OBJ", torchFile("(cos\nsystem\no."), /"os\.system"/],
    ["NEWOBJ", torchFile("cos\nsystem\n)\x81."), /"os\.system"/],
    ["a name from the stack", torchFile(text("os"), text("system"), 0x93, "."), /"os\.system"/],
    ["an extension code", torchFile(0x82, 1, "."), /unknown instruction/],
    [
      "a class of torch itself",
      torchFile("ctorch.nn.modules.linear\nLinear\n."),
      /"torch\.nn\.modules\.linear\.Linear"/,
    ],
    ["a trap of prototypes", torchFile("c__proto__\nconstructor\n."), /"__proto__\.constructor"/],
    ["a name that floods the terminal", torchFile(`c${"\x1b[2J".repeat(9)}\nx\n.`), /\\u001b/],
    ["a call of a number", torchFile("K", 1, ")R."), /cannot be called/],
    ["a state for a tensor", torchFile(...dict("a", ...tensor(0, [2], [1]), "}b")), /no dict/],
    ["a memo out of order", torchFile("}r\xff\xff\xff\x7f."), /out of order/],
    ["a memo never set", torchFile("h", 3, "."), /not remembered/],
    ["a string beyond the file", torchFile("X\xff\xff\xff\x7f."), /cut short/],
    ["a tensor beyond its storage", torchFile(...dict("a", ...tensor(1, [2], [1]))), /beyond the 2 elements/],
    ["a tensor of 2^62 elements", torchFile(...dict("a", ...tensor(0, [2 ** 31, 2 ** 31], [0, 0]))), /beyond/],
    ["a negative stride", torchFile(...dict("a", ...tensor(1, [2], [-1]))), /not described/],
    ["a negative offset", torchFile(...dict("a", ...tensor(-1, [1], [1]))), /not described/],
    ["strides of another rank", torchFile(...dict("a", ...tensor(0, [2], [1, 1]))), /not described/],
    [
      "a storage that is not there",
      torchFile(...dict("a", ...tensor(0, [2], [1], "9"))),
      /"9", which is not in the file/,
    ],
    ["a storage that climbs out", torchFile(...dict("a", ...tensor(0, [2], [1], "../../x"))), /not in the file/],
  ];
  it.each(hostile)("of %s are refused", async (_, bytes, says) => {
    expect(await refusal(bytes)).toMatch(says);
  });

  it("of no elements may have any sizes", async () => {
    const read = await readTorch(torchFile(...dict("a", ...tensor(0, [2 ** 52, 2 ** 52, 0], [1, 1, 1]))));
    expect(read.get("a")?.data).toHaveLength(0);
  });

  it("do not grow: transposed views of one storage, more of them than the file is long, are refused", async () => {
    const one = tensor(0, [128, 128], [1, 128], "1");
    const entries = Array.from({ length: 40 }, (_, i) => [text(`t${i}`), ...one]).flat();
    expect(await refusal(torchFile("}(", ...entries, "u."))).toMatch(/more than the file/);
  });

  it("of a quarter million nested lists, marks or strings cost little and end", async () => {
    for (const unit of ["]", "(", ")", "N", "}\x94", "]]a", "\x8c\x01x", "0"]) {
      const pickle = Buffer.from(unit.repeat(2 ** 18), "latin1");
      const before = process.memoryUsage();
      await refusal(torchFile(pickle, "."));
      const after = process.memoryUsage();
      expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(100e6);
    }
  });
});

describe("PyTorch files, fuzzed", () => {
  async function opens(bytes: Uint8Array): Promise<void> {
    try {
      for (const { shape, data } of (await readTorch(bytes)).values())
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
    } catch (error) {
      if (!(error instanceof TesseraeError)) throw error;
      expect(error.message).not.toMatch(/\n/);
    }
  }

  it("never crash when damaged", async () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(files.views, files.training, files.evil),
        edits,
        fc.nat(200),
        async (file, e, cut) => {
          const bytes = file.slice();
          for (const [at, value] of e) bytes[at % bytes.byteLength] = value;
          await opens(bytes);
          await opens(bytes.subarray(0, bytes.byteLength - cut));
        },
      ),
      fuzzing(11, { runs: 1500, seconds: 4, shares: 2 }),
    );
    expect(existsSync("/tmp/tesserae-ran")).toBe(false);
  });

  it("never crash on instructions in any order", async () => {
    const word = fc.constantFrom<string | number | Uint8Array>(
      ...[
        "(",
        ")",
        "t",
        "}",
        "]",
        "a",
        "e",
        "s",
        "u",
        "R",
        "Q",
        "b",
        "N",
        "0",
        ".",
        "\x85",
        "\x86",
        "\x87",
        "q\x00",
        "h\x00",
      ],
      ...[
        "ctorch\nFloatStorage\n",
        "ctorch._utils\n_rebuild_tensor_v2\n",
        "ccollections\nOrderedDict\n",
        "ctorch\nSize\n",
      ],
      ...[text("storage"), text("0"), int(1), int(2), int(-1), Buffer.concat(tensor(0, [2], [1]).map(bytesOf))],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 40 }), (words) => opens(torchFile(...words, "."))),
      fuzzing(11, { runs: 3000, seconds: 4, shares: 2 }),
    );
  });
});
