import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { augmentations } from "../src/data/augment/index.ts";

const docs = new URL("../docs/", import.meta.url);
const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

it("every augmentation is one file, with a picture in docs/augmentation.md", () => {
  const text = readFileSync(new URL("augmentation.md", docs), "utf8");
  const pictures = [...text.matchAll(/\]\((augmentation\/(\w+)\.webp)\)/g)].map(([, path, name]) => ({ path, name }));
  for (const { path } of pictures) expect(existsSync(new URL(path, docs)), path).toBe(true);
  const shown = pictures.map(({ name }) => name);
  expect(shown).toEqual(expect.arrayContaining([...Object.keys(augmentations), "mixup", "cutmix"]));
  const files = readdirSync(new URL("../src/data/augment/", import.meta.url)).filter((f) => f !== "index.ts");
  expect(files.sort()).toEqual(
    Object.keys(augmentations)
      .map((name) => `${kebab(name)}.ts`)
      .sort(),
  );
  const left = readdirSync(new URL("augmentation/", docs)).filter((f) => !shown.includes(f.replace(".webp", "")));
  expect(left).toEqual([]);
});
