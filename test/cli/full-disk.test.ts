import { appendFileSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { smallDisk } from "../../src/node/test-disk.ts";
import { scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const disk = smallDisk(4, "full-disk.test.ts");
afterAll(disk.remove);

const shapes = join(folder, "shapes");
const run = join(disk.path, "run");
const train = (epochs: string) =>
  tesserae(["train", shapes, ...TINY, "--epochs", epochs, "--output", run, "--resume", "auto"]);

/** All but 48 KiB: less than a checkpoint. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(2 ** 14));
  } catch {
    truncateSync(path, statSync(path).size - 48 * 2 ** 10);
  }
}

it.skipIf(!disk.mounted)(
  "a full disk ends a run with one line; with room again it goes on from its last save",
  async () => {
    const made = await tesserae(["synth", shapes, "--count", "32", "--size", "16"]);
    expect(made.code, made.stderr).toBe(0);
    expect(await train("1")).toMatchObject({ code: 0 });
    const checkpoints = () => readdirSync(run).filter((name) => /checkpoint|tmp/.test(name));
    const before = checkpoints();
    fill(join(disk.path, "filler"));
    const failed = await train("2");
    expect(failed.code).toBe(1);
    const errors = failed.stderr.split("\n").filter((line) => line.startsWith("error: "));
    expect(errors).toEqual([
      expect.stringMatching(
        /run: cannot save the checkpoint: the disk is full \(ENOSPC\)\. The earlier checkpoints are untouched/,
      ),
    ]);
    expect(checkpoints()).toEqual(before);
    rmSync(join(disk.path, "filler"));
    expect(await train("2")).toMatchObject({ code: 0 });
    expect(checkpoints().length).toBe(before.length + 1);
  },
);
