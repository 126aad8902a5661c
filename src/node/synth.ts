/** The embedded image set as files: an image folder that any trainer can read. */
import { mkdir, mkdtemp, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import sharp from "sharp";
import { drawSynth, planSynth, type SynthOptions } from "../data/synth.ts";
import { TesseraeError } from "../errors.ts";

export interface WriteSynthOptions extends SynthOptions {
  /** Varies every image. */
  seed: number;
  /** Side of each image, in pixels. Default 32. */
  size?: number;
}

export interface WriteSynthResult {
  dir: string;
  /** In label order. */
  classes: string[];
  train: number;
  val: number;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Fails unless `dir` is absent or an empty folder. */
const assertFree = async (dir: string): Promise<void> => {
  const entries = await readdir(dir).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return [];
    const what = cause.code === "ENOTDIR" ? "is a file" : `cannot be read (${cause.code})`;
    throw new TesseraeError("io", what, { where: dir, hint: "Name a new folder", cause });
  });
  if (entries.length > 0) {
    throw new TesseraeError("io", "folder is not empty", { where: dir, hint: "Name a new folder, or remove this one" });
  }
};

/**
 * Writes the embedded image set as `dir/train/<class>/*.png` and `dir/val/<class>/*.png`, `count` images in all.
 * The folder appears only when it is complete: it is built beside `dir` and renamed.
 *
 * @throws TesseraeError `usage` for numbers out of range, `io` where `dir` is not empty or cannot be written.
 */
export const writeSynth = async (dir: string, options: WriteSynthOptions): Promise<WriteSynthResult> => {
  const { seed, size = 32, ...rest } = options;
  const plan = planSynth(rest);
  const target = resolve(dir);
  await assertFree(target);
  const parent = dirname(target);
  let scratch: string | undefined;
  try {
    await mkdir(parent, { recursive: true });
    scratch = await mkdtemp(join(parent, `.${basename(target)}-`));
    const building = join(scratch, "set");
    for (const { split, class: name, position, index } of plan) {
      const folder = join(building, split, name);
      if (position === 0) await mkdir(folder, { recursive: true });
      const raw = { width: size, height: size, channels: 3 } as const;
      const file = join(folder, `${String(position).padStart(5, "0")}.png`);
      await sharp(drawSynth(seed, name, index, size), { raw })
        .png()
        .toFile(file);
    }
    if (await exists(target)) await rmdir(target);
    await rename(building, target);
  } catch (cause) {
    if (cause instanceof TesseraeError) throw cause;
    const what = `cannot be written (${cause instanceof Error ? cause.message : cause})`;
    throw new TesseraeError("io", what, { where: dir, hint: "Check that its parent folder is writable", cause });
  } finally {
    if (scratch) await rm(scratch, { recursive: true, force: true });
  }
  const train = plan.filter(({ split }) => split === "train").length;
  return { dir: target, classes: [...new Set(plan.map((item) => item.class))].sort(), train, val: plan.length - train };
};
