import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
// Inside the package, so that "tesserae" resolves to it.
const folder = mkdtempSync(join(root, ".readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readme = readFileSync(join(root, "README.md"), "utf8");
const example = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
  .map(([, code]) => code)
  .find((code) => code.includes('from "tesserae"'));

describe("the README", () => {
  it("has an example that trains and predicts", () => {
    writeFileSync(join(folder, "example.mjs"), example as string);
    const output = execFileSync(process.execPath, ["example.mjs"], { cwd: folder, encoding: "utf8" });
    expect(output).toMatch(/^epoch 0: top-1 [\d.]+ %\nepoch 1: top-1 [\d.]+ %\n\w+ [\d.]+ %\n$/);
    for (const file of ["model.onnx", "summary.csv", "config.json"])
      expect(existsSync(join(folder, "runs/shapes", file))).toBe(true);
  });

  it("links to files that are there", () => {
    const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)/g)].map(([, path]) => path);
    expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("stands on two commands that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const commands = [...readme.matchAll(/^npm (?:run )?(\w+)/gm)].map(([, name]) => name);
    expect(commands.slice(0, 2)).toEqual(["quickstart", "test"]);
    expect(commands.filter((name) => !scripts[name])).toEqual([]);
  });
});
