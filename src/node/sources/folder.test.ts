import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ImageDataset } from "../../data/dataset.ts";
import { type OpenDataOptions, openData } from "./open-data.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tesserae-folder-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Files of no content: names are all that matters here. */
function make(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(dir, dirname(path)), { recursive: true });
    writeFileSync(join(dir, path), "");
  }
}

const openImageFolder = (path: string, options: OpenDataOptions = {}) =>
  openData(path, { ...options, dataset: "folder" }).then(({ train, val }) => ({ train, val }));
const names = (dataset: ImageDataset) => dataset.samples.map(({ path }) => relative(dir, path));
const failure = (path = dir) =>
  openImageFolder(path).then(
    () => "no error",
    (error: Error & { code?: string }) => {
      expect(error.name).toBe("TesseraeError");
      expect(error.code).toBe("data");
      expect(error.message).not.toContain("\n");
      return error.message.replaceAll(dir, "DIR");
    },
  );

describe("a folder of classes", () => {
  it("reads train and val, sorted by code points, subfolders included", async () => {
    make("train/b/2.PNG", "train/b/10.jpg", "train/a/z.jpg", "train/a/sub/a.webp", "train/a/.hidden.jpg");
    make("train/.ipynb_checkpoints/x.jpg", "train/a/notes.txt", "val/a/v.jpg", "val/b/v.jpg", "train/readme.md");
    const { train, val } = await openImageFolder(dir);
    expect(train.classes).toEqual(["a", "b"]);
    expect(names(train)).toEqual(["train/a/z.jpg", "train/a/sub/a.webp", "train/b/10.jpg", "train/b/2.PNG"]);
    expect(train.samples.map(({ label }) => label)).toEqual([0, 0, 1, 1]);
    expect(names(val)).toEqual(["val/a/v.jpg", "val/b/v.jpg"]);
  });

  it("takes names of any script as they are", async () => {
    const nfd = "e\u0301t\u00e9";
    const classes = ["ねこ", "고양이", "a b", "🐶", "\uFF21", nfd];
    for (const name of classes) make(`${name}/写真 1.jpg`, `${name}/📷.png`);
    const { train, val } = await openImageFolder(dir);
    expect(train.classes).toEqual(["a b", nfd, "ねこ", "고양이", "\uFF21", "🐶"]);
    expect(val.samples).toHaveLength(6);
    expect(names(train).length + names(val).length).toBe(12);
  });

  it("accepts other names of val, and splits train where there is none", async () => {
    make("train/a/1.jpg", "train/b/1.jpg", "validation/a/2.jpg", "validation/b/2.jpg", "test/c/3.jpg");
    expect(names((await openImageFolder(dir)).val)).toEqual(["validation/a/2.jpg", "validation/b/2.jpg"]);
    rmSync(join(dir, "validation"), { recursive: true });
    rmSync(join(dir, "test"), { recursive: true });
    make(...Array.from({ length: 9 }, (_, i) => `train/${i % 2 ? "a" : "b"}/x${i}.jpg`));
    const { train, val } = await openImageFolder(dir, { valFraction: 0.4, seed: 3 });
    expect(val.samples.length).toBe(4);
    expect(train.samples.length).toBe(7);
    expect(await openImageFolder(dir, { valFraction: 0.4, seed: 3 })).toEqual({ train, val });
  });

  it("splits the same wherever the folder lies", async () => {
    for (let i = 0; i < 30; i++) make(`one/a/${i}.jpg`, `one/b/${i}.jpg`, `two/a/${i}.jpg`, `two/b/${i}.jpg`);
    const val = async (name: string) =>
      (await openImageFolder(join(dir, name), { seed: 1 })).val.samples.map(({ path }) =>
        relative(join(dir, name), path),
      );
    expect(await val("one")).toEqual(await val("two"));
  });

  it("takes a class that is called train for a class", async () => {
    make("train/1.jpg", "train/2.jpg", "boat/1.jpg", "boat/2.jpg");
    expect((await openImageFolder(dir)).train.classes).toEqual(["boat", "train"]);
  });

  it("follows links to classes and files, and ends on links that loop or lead up and out", async () => {
    make("real/cats/1.jpg", "real/cats/2.jpg", "data/dogs/1.jpg", "data/dogs/2.jpg", "elsewhere/secret.jpg");
    symlinkSync(join(dir, "real/cats"), join(dir, "data/cats"));
    symlinkSync(join(dir, "real/cats/1.jpg"), join(dir, "data/dogs/3.jpg"));
    symlinkSync(".", join(dir, "data/dogs/self"));
    symlinkSync("..", join(dir, "data/dogs/up"));
    symlinkSync("/", join(dir, "real/cats/root"));
    symlinkSync(join(dir, "elsewhere"), join(dir, "data/dogs/out"));
    symlinkSync("loop", join(dir, "data/dogs/loop"));
    symlinkSync("gone.jpg", join(dir, "data/dogs/dangling.jpg"));
    const { train, val } = await openImageFolder(join(dir, "data"), { valFraction: 0 });
    expect(val.samples).toHaveLength(0);
    expect(names(train)).toEqual([
      "data/cats/1.jpg",
      "data/cats/2.jpg",
      "data/dogs/1.jpg",
      "data/dogs/2.jpg",
      "data/dogs/3.jpg",
    ]);
    symlinkSync("/", join(dir, "data/everything"));
    expect(await failure(join(dir, "data"))).toMatch(/class everything has no images/);
  });

  it("says in one line what is wrong with a folder", async () => {
    make("flowers/a/1.jpg", "flowers/b/1.jpg", "file.txt");
    expect(await failure(join(dir, "flower"))).toBe("DIR/flower: no such folder. Did you mean DIR/flowers?");
    expect(await failure(join(dir, "zzz"))).toBe("DIR/zzz: no such folder");
    expect(await failure(join(dir, "file.txt"))).toMatch(/^DIR\/file.txt: not a folder/);
    expect(await failure()).toBe("DIR: only one class, flowers. Did you mean DIR/flowers?");
    mkdirSync(join(dir, "empty"));
    expect(await failure(join(dir, "empty"))).toMatch(/^DIR\/empty: the folder is empty/);
    make("loose/1.jpg", "loose/2.jpg");
    expect(await failure(join(dir, "loose"))).toMatch(/^DIR\/loose: 2 images but no class folders/);
    make("one/a/1.jpg");
    expect(await failure(join(dir, "one"))).toMatch(/only one class, a. Training needs two or more$/);
    make("bad/a/1.jpg", "bad/b/1.bmp");
    expect(await failure(join(dir, "bad"))).toMatch(/^DIR\/bad: class b has no images \(passed over: .bmp\)/);
  });

  it("names the classes by which val differs from train, but not all of many", async () => {
    for (let i = 0; i < 9; i++) make(`train/c${i}/1.jpg`);
    make("val/c0/1.jpg", "val/d/1.jpg");
    expect(await failure()).toBe(
      "DIR/val: its classes differ from train's (only in val: d; only in train: c1, c2, c3, c4, c5 and 3 more)",
    );
  });
});
