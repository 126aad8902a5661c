import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import sharp, { type CreateRaw, type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { modelOf, specOf } from "../src/models/spec.ts";
import { decodeImage } from "../src/node/decode.ts";
import { importFile } from "../src/node/import-file.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { createPredictor } from "../src/node/predictor.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { exportOnnx, exportProgram } from "../src/train/export.ts";
import { hasChromium, launchChromium, needsChromium, watch } from "./browser.ts";
import { bundlePage } from "./web/bundle.ts";
import { answers, freshModel, losses, MODELS } from "./web/cases.ts";
import { expectClose } from "./web/close.ts";
import type { TestPage } from "./web/page.ts";
import { type StaticServer, serveFolder } from "./web/static-server.ts";

const [WIDTH, HEIGHT] = [67, 45];

/** Noise, which shows every difference, or waves, which show those of chroma alone. */
function picture(kind: "noise" | "waves", channels: 3 | 4 = 3): Sharp {
  const random = keyed(4);
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % WIDTH, Math.floor(i / channels / WIDTH)];
    return kind === "noise" ? random.int(256) : 127 + 100 * Math.sin(x / 9 + (i % channels)) * Math.cos(y / 7);
  });
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels } });
}

/** Files that must decode to the same bits, by name. */
async function imageFiles(): Promise<Record<string, Buffer>> {
  const sixteen = Buffer.from(Uint16Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 40503) & 0xffff).buffer);
  const raw = { width: WIDTH, height: HEIGHT, channels: 3, depth: "ushort" } as unknown as CreateRaw;
  const files: Record<string, Sharp> = {
    "colour.png": picture("noise").png(),
    "grey.png": picture("waves").greyscale().png(),
    "palette.png": picture("waves").png({ palette: true }),
    "alpha.png": picture("noise", 4).png(),
    "sixteen.png": sharp(sixteen, { raw }).toColourspace("rgb16").png(),
    "turned.png": picture("waves").withMetadata({ orientation: 6 }).png(),
    "profile.png": picture("waves").withIccProfile("p3").png(),
    "half-chroma.jpg": picture("waves").jpeg({ quality: 90 }),
    "half-chroma-noise.jpg": picture("noise").jpeg({ quality: 75 }),
    "full-chroma.jpg": picture("noise").jpeg({ chromaSubsampling: "4:4:4" }),
    "progressive.jpg": picture("noise").jpeg({ progressive: true, quality: 60 }),
    "grey.jpg": picture("noise").greyscale().jpeg(),
    "turned.jpg": picture("noise").withMetadata({ orientation: 5 }).jpeg(),
    "profile.jpg": picture("waves").withIccProfile("p3").jpeg(),
    "lossy.webp": picture("noise").webp(),
    "alpha.webp": picture("noise", 4).webp({ lossless: true, exact: true }),
    "waves.gif": picture("waves").gif(),
  };
  const names = Object.keys(files);
  const bytes = await Promise.all(names.map((name) => files[name].toBuffer()));
  return Object.fromEntries(names.map((name, i) => [name, bytes[i]]));
}

let folder: string;
let browser: Browser;
let backend: Backend;
let server: StaticServer;
let page: Page;
let faults: string[];
let images: Record<string, Buffer>;

/** SwiftShader, a GPU in software, comes with chromium. */
const SOFTWARE_GPU = [
  ...["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  ...["--enable-features=Vulkan", "--use-vulkan=swiftshader"],
];

/** Opens the test's page at a server. */
async function openPage({ origin }: StaticServer, on = browser): Promise<{ page: Page; faults: string[] }> {
  const page = await on.newPage();
  const faults = watch(page, origin);
  await page.goto(`${origin}/`);
  await page.waitForFunction("globalThis.page");
  return { page, faults };
}

type Of<K extends keyof TestPage> = Awaited<ReturnType<TestPage[K]>>;

/** Calls a function of the page. */
const ask = <K extends keyof TestPage>(page: Page, name: K, ...rest: Parameters<TestPage[K]>): Promise<Of<K>> =>
  page.evaluate(`globalThis.page[${JSON.stringify(name)}](...${JSON.stringify(rest)})`) as Promise<Of<K>>;

describe.skipIf(!hasChromium)(needsChromium("in a browser"), () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tesserae-web-"));
    await bundlePage("./page.ts", folder);
    images = await imageFiles();
    for (const [name, bytes] of Object.entries(images)) await writeFile(join(folder, name), bytes);
    for (const name of Object.keys(MODELS)) {
      const { spec, weights } = freshModel(name);
      await writeFile(join(folder, `${name}.onnx`), exportOnnx(modelOf(spec), spec, weights).model);
    }
    backend = await createOrtBackend({ threads: 1 });
    server = await serveFolder(folder);
    browser = await launchChromium();
    ({ page, faults } = await openPage(server));
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await backend?.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("image files decode to the bits they have in Node", async () => {
    for (const [name, bytes] of Object.entries(images)) {
      const { width, height, data } = await decodeImage(bytes, name);
      const found = await ask(page, "decode", name);
      expect(found, name).toMatchObject({ size: [width, height] });
      expect(Buffer.from(data).equals(Buffer.from(found.pixels as string, "base64")), name).toBe(true);
    }
  });

  it("CMYK and AVIF differ from Node by one level at most", async () => {
    const files = {
      "ink.jpg": await picture("noise").toColourspace("cmyk").jpeg({ quality: 90 }).toBuffer(),
      "some.avif": await picture("noise").avif().toBuffer(),
    };
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(folder, name), bytes);
      const { data } = await decodeImage(bytes, name);
      const found = Buffer.from((await ask(page, "decode", name)).pixels as string, "base64");
      expect(found.length).toBe(data.length);
      expect(Math.max(...data.map((v, i) => Math.abs(v - found[i])))).toBeLessThanOrEqual(1);
    }
  });

  it("a file that cannot be read is told in one line", async () => {
    const bomb = Buffer.from(images["colour.png"]);
    bomb.writeUInt32BE(30_000, 16);
    bomb.writeUInt32BE(30_000, 20);
    const damaged = Buffer.from(images["colour.png"]).fill(0x55, 200, 400);
    const files: [string, Buffer, string][] = [
      ["empty.jpg", Buffer.alloc(0), "the file is empty (zero bytes)"],
      ["drawing.png", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), "not an image that can be read"],
      ["cut.jpg", images["grey.jpg"].subarray(0, 600), "truncated"],
      ["cut.webp", images["lossy.webp"].subarray(0, 600), "truncated"],
      ["bomb.png", bomb, "too large: over 100 million pixels"],
      ["damaged.png", damaged, "damaged, or of a format that this browser does not read"],
    ];
    for (const [name, bytes, reason] of files) {
      await writeFile(join(folder, name), bytes);
      expect(await ask(page, "decode", name)).toEqual({ error: `${name}: ${reason}` });
    }
  });

  it("a model file predicts as in Node, ours and another exporter's", async () => {
    const path = join(folder, "foreign.onnx");
    const { spec, weights } = freshModel("convmixer");
    await writeFile(path, encodeModel(exportProgram(modelOf(spec), weights)).model);
    const { model, weights: read } = await importFile(path);
    const others = { spec: specOf(model, ["0", "1", "2", "3", "4", "5"]), weights: read };
    const trained = { vit: freshModel("vit"), convmixer: { spec, weights }, foreign: others };
    for (const [name, own] of Object.entries(trained)) {
      const predictor = await createPredictor({ kind: "weights", path, warnings: [], ...own }, backend);
      const expected = await predictor.predict(await decodeImage(images["half-chroma-noise.jpg"], "it"));
      const found = await ask(page, "predict", `${name}.onnx`, "half-chroma-noise.jpg");
      if (typeof found === "string") throw new Error(found);
      expect(found.map((guess) => guess.label)).toEqual(expected.map((guess) => guess.label));
      expectClose(
        found.map((guess) => guess.probability),
        expected.map((guess) => guess.probability),
      );
      await predictor.dispose();
    }
  });

  it("attention and class evidence are those of Node, from a worker", { timeout: 300_000 }, async () => {
    for (const name of Object.keys(MODELS)) {
      const image = await decodeImage(images["turned.jpg"], "it");
      const expected = await answers(freshModel(name), image, backend);
      const found = await ask(page, "answers", `${name}.onnx`, "turned.jpg");
      expect(Object.keys(found)).toEqual(Object.keys(expected));
      expect(Object.keys(found)).toContain("gradcam");
      for (const key of Object.keys(expected)) expectClose(found[key], expected[key]);
    }
    expect(
      Object.keys(await answers(freshModel("vit"), await decodeImage(images["turned.jpg"], "it"), backend)),
    ).toContain("blocks.1.attn");
  });

  it.each(Object.keys(MODELS))("%s trains along Node's losses", { timeout: 300_000 }, async (name) => {
    const expected = await losses(name, backend);
    expect(expected.at(-1)).toBeLessThan(expected[0]);
    expectClose(await ask(page, "losses", name, {}), expected);
  });

  it("a file that is no model is told in one line", async () => {
    await writeFile(join(folder, "broken.onnx"), images["colour.png"]);
    expect(await ask(page, "predict", "broken.onnx", "colour.png")).toMatch(/^broken\.onnx: /);
    expect(await ask(page, "predict", "vit.onnx", "colour.png", { device: "webgpu" })).toMatch(/^device webgpu is not/);
  });

  it("did nothing on its console or beyond its origin", () => {
    expect(faults).toEqual([]);
  });

  it("the lines in docs/web.md train a model in a page, and it knows what it learned", {
    timeout: 300_000,
  }, async () => {
    const text = await readFile(fileURLToPath(new URL("../docs/web.md", import.meta.url)), "utf8");
    const lines = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    expect(lines.split("\n").filter((line) => line.trim()).length).toBeLessThanOrEqual(24);
    const place = join(folder, "lines");
    await bundlePage("./given.ts", place, lines);
    const lone = await serveFolder(place);
    const page = await browser.newPage();
    const faults = watch(page, lone.origin);
    try {
      await page.goto(`${lone.origin}/`);
      await page.waitForFunction("document.body.textContent.includes('%')", undefined, { timeout: 120_000 });
      const [, label, percent] = /(\w+) ([\d.]+) %/.exec((await page.textContent("body")) ?? "") ?? [];
      expect(label).toBe("left");
      expect(Number(percent)).toBeGreaterThan(80);
      expect(faults).toEqual([]);
    } finally {
      await page.close();
      await lone.close();
    }
  });

  it("runs on WebGPU with the same numbers, its state on the device", { timeout: 600_000 }, async (context) => {
    const gpu = await launchChromium(SOFTWARE_GPU);
    try {
      const { page, faults } = await openPage(server, gpu);
      if (!(await ask(page, "devices")).includes("webgpu")) return context.skip("this chromium has no WebGPU");
      expectClose(await ask(page, "losses", "vit", { device: "webgpu" }, 2), await losses("vit", backend, 2));
      const [found, expected] = [
        await ask(page, "predict", "vit.onnx", "turned.jpg", { device: "webgpu" }),
        await ask(page, "predict", "vit.onnx", "turned.jpg"),
      ];
      const probabilities = (guesses: typeof found) =>
        typeof guesses === "string" ? [] : guesses.map((guess) => guess.probability);
      expect(probabilities(expected).length).toBe(5);
      expectClose(probabilities(found), probabilities(expected));
      expect(faults).toEqual([]);
    } finally {
      await gpu.close();
    }
  });

  it("runs on several threads in a page that is cross-origin isolated", { timeout: 300_000 }, async () => {
    const isolated = await serveFolder(folder, { isolated: true });
    const { page, faults } = await openPage(isolated);
    try {
      expect(await ask(page, "isolated")).toBe(true);
      expectClose(await ask(page, "losses", "vit", { threads: 2 }), await losses("vit", backend));
      expect(page.workers().length).toBeGreaterThan(0);
      expect(faults).toEqual([]);
    } finally {
      await page.close();
      await isolated.close();
    }
  });
});
