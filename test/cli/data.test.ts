import { copyFileSync, existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "tar";
import { beforeAll, describe, expect, it } from "vitest";
import { scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const shapes = at("shapes");
let files: { path: string; label: string }[] = [];

beforeAll(async () => {
  expect(await tesserae(["synth", shapes, "--count", "48", "--size", "16"])).toMatchObject({ code: 0 });
  files = readdirSync(join(shapes, "train"))
    .sort()
    .flatMap((label) => readdirSync(join(shapes, "train", label)).map((name) => ({ path: `${label}/${name}`, label })));
  mkdirSync(at("parts"));
  mkdirSync(at("shards"));
  const names = files.flatMap(({ path, label }, i) => {
    copyFileSync(join(shapes, "train", path), at("parts", `${i}.png`));
    writeFileSync(at("parts", `${i}.cls`), label);
    return [`${i}.png`, `${i}.cls`];
  });
  const half = 2 * Math.floor(files.length / 2);
  await create({ cwd: at("parts"), file: at("shards", "train-0.tar") }, names.slice(0, half));
  await create({ cwd: at("parts"), file: at("shards", "train-1.tar") }, names.slice(half));
  const rows = files.map(({ path, label }, i) => `${path},${label},${i === 0 ? 5 : 1}`);
  writeFileSync(at("list.csv"), `path,label,weight\n${rows.join("\n")}\n`);
});

const preview = async (data: string, ...flags: string[]) => {
  const result = await tesserae(["preview", data, "--img-size", "16", "-o", at("sheet.png"), "--json", ...flags]);
  expect(result.code, result.stderr).toBe(0);
  return JSON.parse(result.stdout).tiles as { path: string; label: string }[];
};

describe("data from the command line", () => {
  it("trains on tar shards, a fold held out, with a balanced sampler", async () => {
    const flags = [...TINY, "--epochs", "1", "--folds", "3", "--fold", "1", "--sampler", "balanced"];
    const run = await tesserae(["train", at("shards"), ...flags, "--shuffle-buffer", "16", "--output", at("run")]);
    expect(run.code, run.stderr).toBe(0);
    expect(existsSync(at("run", "model.onnx"))).toBe(true);
    const measured = await tesserae(["eval", at("run"), at("shards"), "--json"]);
    expect(JSON.parse(measured.stdout).images).toBeLessThan(files.length / 2);
  });

  it("shows images of shards and of a list with their labels", async () => {
    const labels = new Set(files.map(({ label }) => label));
    const shown = await preview(at("shards", "train-{0..1}.tar"), "--count", "8", "--cache-mb", "0");
    expect(shown.every(({ path, label }) => labels.has(label) && /train-[01]\.tar\/\d+\.png$/.test(path))).toBe(true);
    const listed = await preview(at("list.csv"), "--data-root", join(shapes, "train"), "--count", "8");
    expect(listed.every(({ path, label }) => path.includes(`/train/${label}/`))).toBe(true);
  });

  it("refuses a shard that was cut, and a list of what is no image, in one line", async () => {
    const refused = async (data: string, message: RegExp) => {
      const result = await tesserae(["train", data, ...TINY, "--output", at("never")]);
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toMatch(message);
      expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(existsSync(at("never"))).toBe(false);
    };
    copyFileSync(at("shards", "train-0.tar"), at("cut.tar"));
    truncateSync(at("cut.tar"), 700);
    await refused(at("cut.tar"), /^error: .*cut\.tar: truncated: "0\.png" at byte 0/);
    writeFileSync(at("bad.csv"), "path,label\n../../nowhere/a.png,x\n../../nowhere/b.png,y\n");
    await refused(at("bad.csv"), /^error: .*bad\.csv:2: no such file as .*see --data-root/);
  });
});
