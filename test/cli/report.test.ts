import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Output, scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const HOSTILE = `<img src=x onerror=alert(1)> & "`;

let trained: Output;

beforeAll(async () => {
  await tesserae(["synth", at("shapes"), "--count", "64", "--seed", "3"]);
  for (const part of ["train", "val"]) renameSync(at("shapes", part, "star"), at("shapes", part, HOSTILE));
  trained = await tesserae(["train", at("shapes"), ...TINY, "--report", "--epochs", "2", "--output", at("run")]);
  expect(trained.stderr).not.toMatch(/error/);
  expect(trained.code).toBe(0);
});

describe("the end of a run", () => {
  it("leaves a report of what costs little, and says where", () => {
    expect(trained.stdout).toContain(at("run", "report.html"));
    const html = readFileSync(at("run", "report.html"), "utf8");
    const sections = [...html.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id);
    expect(sections).toEqual(["curves", "quality", "images", "explanations", "data", "model"]);
    for (const figure of ["attention", "rollout", "filters"]) expect(html).toContain(`id="figure-${figure}"`);
    expect(html).not.toContain('id="figure-occlusion"');
    expect(existsSync(at("run", "README.md"))).toBe(true);
  });

  it("is a warning, not a failure, where the report cannot be written", async () => {
    mkdirSync(at("blocked", "report.html", "in the way"), { recursive: true });
    const words = ["train", at("shapes"), ...TINY, "--report", "--epochs", "1", "--output", at("blocked")];
    const { code, stderr, stdout } = await tesserae(words);
    expect(stderr).toMatch(/warning: no report is written: .*report\.html/);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/^report /m);
    expect(existsSync(at("blocked", "model.onnx"))).toBe(true);
  });

  it("leaves none with --no-report", async () => {
    const words = ["train", at("shapes"), ...TINY, "--epochs", "1", "--output", at("bare")];
    expect((await tesserae(words)).code).toBe(0);
    expect(existsSync(at("bare", "report.html"))).toBe(false);
  });
});

describe("tesserae report", () => {
  it("writes a page that stands alone, with every section, and a model card", async () => {
    const { code, stdout, stderr } = await tesserae(["report", at("run"), "--threads", "1", "--limit", "12", "--json"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { page, card, notes } = JSON.parse(stdout);
    expect(notes).toEqual([]);
    const html = readFileSync(page, "utf8");
    for (const id of ["curves", "quality", "images", "explanations", "set", "robustness", "data", "model"])
      expect(html).toContain(`<section id="${id}"`);
    expect(html).not.toContain("<img src=x");
    expect(html).toContain("&#60;img src=x onerror=alert(1)&#62;");
    expect(html.replaceAll("http://www.w3.org/", "")).not.toMatch(/(src|href)="(?!data:|#)/);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(html.length).toBeLessThan(4e6);
    expect(readFileSync(card, "utf8")).toMatch(/^---\nlibrary_name: tesserae\npipeline_tag: image-classification\n/);
  });

  it("goes without the images where they are gone, and says so", async () => {
    renameSync(at("shapes"), at("moved"));
    const gone = await tesserae(["report", at("run"), "--threads", "1", "--quick"]);
    expect(gone.code).toBe(0);
    expect(gone.stderr).toMatch(/warning: without the images: .*shapes/);
    expect(readFileSync(at("run", "report.html"), "utf8")).not.toContain('<section id="quality"');
    const back = await tesserae(["report", at("run"), "--threads", "1", "--quick", "--data", at("moved")]);
    expect(back.stderr).toBe("");
    expect(readFileSync(at("run", "report.html"), "utf8")).toContain('<section id="quality"');
    renameSync(at("moved"), at("shapes"));
  });

  it("refuses a folder that is no run", async () => {
    const { code, stderr } = await tesserae(["report", at("shapes")]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*shapes: is no run folder: it has no config\.json\n/);
    expect(existsSync(at("shapes", "report.html"))).toBe(false);
  });
});

describe("tesserae explain", () => {
  it("writes a figure as SVG, PNG and JSON, and lists them", async () => {
    const image = at("shapes", "val", "ring", "00000.png");
    const flags = ["--threads", "1", "-o", at("figures")];
    const { code, stdout, stderr } = await tesserae([
      "explain",
      at("run"),
      image,
      "--figure",
      "rollout,filters",
      ...flags,
    ]);
    expect(stderr).toMatch(/^00000\.png: /);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toEqual([at("figures", "rollout.svg"), at("figures", "filters.svg")]);
    for (const file of ["rollout.svg", "rollout.png", "rollout.json", "filters.json"])
      expect(existsSync(at("figures", file)), file).toBe(true);
    expect((await tesserae(["explain", at("run"), "--figure", "list"])).stdout).toMatch(/gradcam/);
  });

  it("draws figures of an image set", async () => {
    const words = ["explain", at("run"), at("shapes"), "--threads", "1", "-o", at("set"), "--limit", "6"];
    const { code, stdout, stderr } = await tesserae([...words, "--figure", "embedding-map,neighbours,rollout"]);
    expect(stderr).toMatch(/^6 images \(/);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(3);
    const { data } = JSON.parse(readFileSync(at("set", "embedding-map.json"), "utf8"));
    expect(data.images).toHaveLength(6);
    expect(data.images.map((i: { class: string }) => i.class)).toContain(HOSTILE);
    expect(readFileSync(at("set", "embedding-map.svg"), "utf8")).not.toContain("<img");
    expect(JSON.parse(readFileSync(at("set", "rollout.json"), "utf8")).data).toHaveLength(4);
  });

  it("says what is wrong in one line", async () => {
    const lines = [
      [["explain", at("run"), "--figure", "rolout"], /there is no figure rolout/],
      [["explain", at("run"), "--figure", "rollout"], /is drawn of images: name some/],
      [["explain", at("run"), "none.png", "--figure", "rollout"], /none\.png/],
      [["explain", at("run", "model.onnx"), "--figure", "filters"], /is an export, without the model's inner tensors/],
      [["draw", "vit_tiny_patch16_224", "-o", at("vit.gif")], /ends in \.svg or \.png/],
      [["explain", at("run"), at("shapes"), "b.png"], /shapes: is an image set: name it alone, or files/],
      [["draw", "vit_tini", "-o", at("vit.svg")], /vit_ti/],
    ] as const;
    for (const [words, says] of lines) {
      const { code, stdout, stderr } = await tesserae(words);
      expect(stderr).toMatch(says);
      expect(stderr.trim().split("\n"), stderr).toHaveLength(1);
      expect([code === 1 || code === 2, stdout]).toEqual([true, ""]);
    }
    expect(existsSync(at("vit.svg"))).toBe(false);
  });
});

describe("tesserae robustness", () => {
  it("measures some corruptions on some images, the same twice, and draws them", async () => {
    const words = ["robustness", at("run"), at("shapes"), "--threads", "1", "--limit", "5", "-o", at("robust")];
    const { code, stdout, stderr } = await tesserae([...words, "--corruption", "fog,patch_shuffle", "--json"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { images, clean, corrupted, files } = JSON.parse(stdout);
    expect(images).toBe(5);
    expect(corrupted).toHaveLength(5 + 4);
    for (const { top1 } of [clean, ...corrupted]) expect([0, 20, 40, 60, 80, 100]).toContain(Math.round(top1));
    expect(JSON.parse(readFileSync(files.json, "utf8")).data.corrupted).toHaveLength(9);
    expect(readFileSync(files.svg, "utf8")).toContain("patch shuffle");
    const again = await tesserae([...words, "--corruption", "fog,patch_shuffle", "--json"]);
    expect(again.stdout).toBe(stdout);
  });

  it("names the corruptions that there are", async () => {
    const words = ["robustness", at("run"), at("shapes"), "--corruption", "rain", "-o", at("none")];
    const { code, stderr } = await tesserae(words);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: there is no corruption rain\. There are gaussian_noise, .*\n$/);
    expect(existsSync(at("none"))).toBe(false);
    const { stdout } = await tesserae(["robustness", at("run"), at("shapes"), "--corruption", "list"]);
    expect(stdout.trim().split("\n")).toHaveLength(17);
  });
});
