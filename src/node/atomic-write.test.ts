import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { TesseraeError } from "../errors.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { faultyFileSystem } from "./faulty-file-system.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-write-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let folder = "";
beforeEach(() => {
  folder = join(root, `case${count++}`);
  mkdirSync(folder);
});

describe("writing a file atomically", () => {
  it("writes text, bytes and chunks of any size", async () => {
    const path = join(folder, "a");
    await writeFileAtomic(path, "é");
    expect(readFileSync(path, "utf8")).toBe("é");
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    const sizes = [0, 1, 2 ** 20 - 1, 2, 2 ** 20, 2 ** 20 + 1, 20 * 2 ** 20 + 5, 7];
    const chunks = sizes.map((size, i) => Buffer.alloc(size, i));
    await writeFileAtomic(path, chunks);
    expect(readFileSync(path).equals(Buffer.concat(chunks))).toBe(true);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  it("writes all where the system takes only a part of each write", async () => {
    const trace = faultyFileSystem();
    const fs: typeof trace = {
      ...trace,
      open: async (path, flags) => {
        const file = await trace.open(path, flags);
        return { ...file, write: (bytes) => file.write(bytes.subarray(0, 7)) };
      },
    };
    await writeFileAtomic(join(folder, "a"), "a text of more than seven bytes", { fs });
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("a text of more than seven bytes");
  });

  it.each([false, true])("leaves the old or the new file after every failing call (process dead: %s)", async (dead) => {
    const path = join(folder, "model.onnx");
    const trace = faultyFileSystem();
    await writeFileAtomic(path, "old", { fs: trace });
    expect(trace.calls.length).toBeGreaterThan(5);
    for (let at = 1; at <= trace.calls.length; at++) {
      writeFileSync(path, "old");
      const fs = faultyFileSystem({ at, code: "EIO", dead });
      const error = await writeFileAtomic(path, "new!", { fs }).catch((reason: unknown) => reason);
      if (error) expect(error).toMatchObject({ name: "TesseraeError", code: "io", where: path });
      const content = readFileSync(path, "utf8");
      expect(error ? ["old", "new!"] : ["new!"]).toContain(content);
    }
    await writeFileAtomic(path, "last");
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
  });

  it("syncs the file before it renames, and the folder after", async () => {
    const fs = faultyFileSystem();
    await writeFileAtomic(join(folder, "a"), "x", { fs });
    const verbs = fs.calls.map((call) => call.split(" ")[0]);
    expect(verbs).toEqual(["list", "open", "write", "sync", "close", "rename", "remove", "syncFolder"]);
  });

  it("says in one line what is in the way", async () => {
    const write = (path: string) => expect(writeFileAtomic(path, "x")).rejects;
    await write(join(folder, "absent", "a")).toThrow(/a: cannot write the file: no such file or folder \(ENOENT\)$/);
    mkdirSync(join(folder, "taken"));
    await write(join(folder, "taken")).toThrow(TesseraeError);
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});
