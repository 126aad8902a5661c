import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostTensor } from "../weights/host-tensor.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { createCheckpointStore } from "./checkpoint-store.ts";
import { acquireRunLock } from "./run-lock.ts";
import { smallDisk } from "./test-disk.ts";

const { path: disk, mounted, remove } = smallDisk(1, "full-disk.test.ts");
afterAll(remove);

const state = (step: number, size: number) => ({
  step,
  model: new Map([["w", hostTensor("float32", [size], new Float32Array(size).fill(step))]]),
  optimizer: new Map(),
  meta: {},
});

describe.skipIf(!mounted)("a real disk", () => {
  it("that is full fails a save, keeps the earlier checkpoint and leaves nothing behind", async () => {
    const store = createCheckpointStore(disk, { history: 2 });
    await store.save(state(1, 100_000));
    await expect(store.save(state(2, 200_000))).rejects.toThrow(
      "cannot save the checkpoint: the disk is full (ENOSPC)",
    );
    expect(readdirSync(disk)).toEqual(["checkpoint-00000001"]);
    const loaded = await createCheckpointStore(disk, { history: 2 }).latest();
    expect(loaded).toMatchObject({ step: 1, warnings: [] });
    await store.save(state(2, 50_000));
    expect((await store.latest())?.step).toBe(2);
  });

  it("that is full keeps the file that was to be replaced", async () => {
    const path = join(disk, "model.onnx");
    await writeFileAtomic(path, "old");
    await expect(writeFileAtomic(path, new Uint8Array(2 ** 20))).rejects.toThrow("the disk is full (ENOSPC)");
    expect(readdirSync(disk)).toContain("model.onnx");
    expect(readdirSync(disk).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("that is read-only still loads, and says why it does not save", async () => {
    execFileSync("mount", ["-o", "remount,ro", disk]);
    try {
      const store = createCheckpointStore(disk, { history: 1 });
      expect((await store.latest())?.step).toBe(2);
      const readOnly = "the file system is read-only (EROFS)";
      await expect(store.save(state(3, 10))).rejects.toThrow(`cannot save the checkpoint: ${readOnly}`);
      await expect(writeFileAtomic(join(disk, "a"), "x")).rejects.toThrow(readOnly);
      for (const folder of [disk, join(disk, "new")])
        expect(() => acquireRunLock(folder)).toThrow(`cannot lock the run folder: ${readOnly}`);
    } finally {
      execFileSync("mount", ["-o", "remount,rw", disk]);
    }
  });
});
