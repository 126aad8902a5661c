import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeFile } from "../src/node/decode.ts";
import { openTrained } from "../src/node/model-files.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { withoutFolders } from "../src/node/studio/public.ts";
import { exportSite } from "../src/node/studio/site.ts";
import { parseSite } from "../src/studio/site.ts";
import type { Guess } from "../src/train/predictor.ts";
import { hasChromium, launchChromium, needsChromium, seriousFaults, watch } from "./browser.ts";
import { built, scratch, tesserae } from "./cli/cli.ts";
import { buildStudioPage, trainedRuns } from "./studio-runs.ts";
import { bundlePage } from "./web/bundle.ts";
import { answers } from "./web/cases.ts";
import { expectClose } from "./web/close.ts";
import { type StaticServer, serveFolder } from "./web/static-server.ts";

const folder = scratch();
const at = (...path: string[]): string => join(folder, ...path);
const site = at("site");
const picture = at("shapes", "val", "star", "00000.png");
/** A web host has it below some path. */
const UNDER = "/some/place/";

beforeAll(async () => {
  built();
  buildStudioPage();
  await trainedRuns(folder);
});

const siteOf = async (folder: string) => parseSite(await readFile(join(folder, "site.json"), "utf8"), folder);

describe("tesserae studio --export", () => {
  it("writes a folder with the page, the runs and their models, and nothing else", async () => {
    const { code, stdout, stderr } = await tesserae(["studio", at("runs"), "--export", site]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/: 2 models, 2 runs, 1\d\.\d MiB\n/);
    const names = await readdir(site, { recursive: true, withFileTypes: true });
    const files = names.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(site.length + 1));
    const { models, runs, files: listed } = await siteOf(site);
    expect(files.sort()).toEqual([...listed].sort());
    expect(models.map((m) => m.id).sort()).toEqual(["mixer", "vit"]);
    expect(runs.map((r) => r.details.entry.id).sort()).toEqual(["mixer", "vit"]);
    expect(await readdir(folder)).not.toContainEqual(expect.stringMatching(/tmp/));
  });

  it("tells nothing of the machine", async () => {
    const text =
      (await readFile(join(site, "site.json"), "utf8")) + (await readFile(join(site, "runs/vit.json"), "utf8"));
    expect(text).not.toContain(folder);
    expect(text).not.toContain(process.version);
    expect(["/home/me/photos", "~/photos", "C:\\me\\photos", "some/photos"].map(withoutFolders)).toEqual([
      ...["photos", "photos", "photos", "some/photos"],
    ]);
  });

  it("takes the place of an earlier export, and of nothing else", async () => {
    const model = at("some model.onnx");
    await copyFile(join(site, "models/vit.onnx"), model);
    const again = await tesserae(["studio", "--export", site, "--model", model, "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ models: 1, runs: 0 });
    expect((await siteOf(site)).models).toMatchObject([
      { id: "some model", name: "some model", file: "models/some~20model.onnx", model: "vit_tiny_patch16_224" },
    ]);
    await writeFile(join(site, "CNAME"), "mine");
    await symlink(site, at("link"));
    const refused = [
      [site, 'holds a file that is not of an earlier export, such as "CNAME"'],
      [at("shapes"), "holds files that are not of an earlier export"],
      [model, "is there, and is no folder"],
      [at("link"), "is there, and is no folder"],
    ];
    for (const [folder, why] of refused) {
      const { code, stderr } = await tesserae(["studio", at("runs"), "--export", folder]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: [^\n]*\n$/);
      expect(stderr).toContain(why);
    }
    expect(await readFile(join(site, "CNAME"), "utf8")).toBe("mine");
  });

  it("leaves no folder where a model fails", async () => {
    const whole = await openTrained(at("runs", "vit"));
    if (whole.kind !== "weights") throw new Error("no weights");
    const trained = { ...whole, weights: new Map() };
    const options = { runs: [at("runs")], models: [{ name: "it", trained }] };
    await expect(exportSite(at("never"), options)).rejects.toThrow();
    expect(existsSync(at("never"))).toBe(false);
    expect(await readdir(folder)).not.toContainEqual(expect.stringMatching(/tmp/));
  });

  it("refuses what makes no sense in one line", async () => {
    await mkdir(at("empty"));
    const refused = [
      [at("runs"), "--export", at("x"), "--device", "cuda"],
      [at("runs"), "--export", at("x"), "--open"],
      [at("empty"), "--export", at("x")],
      [at("nowhere"), "--export", at("x")],
    ];
    for (const args of refused) {
      const { code, stderr } = await tesserae(["studio", ...args]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: [^\n]*\n$/);
    }
    expect(existsSync(at("x"))).toBe(false);
  });
});

describe.skipIf(!hasChromium)(needsChromium("an exported folder in a browser"), () => {
  let browser: Browser;
  let server: StaticServer;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    await exportSite(at("hosted"), { runs: [at("runs")], models: [] });
    server = await serveFolder(at("hosted"), { under: UNDER });
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(60_000);
    faults = watch(page, server.origin);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it("shows its runs", async () => {
    await page.goto(`${server.origin}${UNDER}`);
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    await page.getByText("vit", { exact: true }).first().waitFor();
    await page.goto(`${server.origin}${UNDER}#/run/vit`);
    await page.locator("canvas").first().waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });

  it("gives an image the top five of the command line, and shows where patches look", async () => {
    await page.goto(`${server.origin}${UNDER}#/look?model=vit`);
    await page.locator("input[type=file]").setInputFiles(picture);
    const guesses = page.locator(".guesses").first().locator("li");
    await guesses.nth(4).waitFor();
    const args = ["predict", picture, "--model", at("runs", "vit"), "--json", "--threads", "1"];
    const { top } = JSON.parse((await tesserae(args)).stdout) as { top: Guess[] };
    expect(await guesses.locator(".label").allTextContents()).toEqual(top.map((guess) => guess.label));
    const shown = (await guesses.locator(".number").allTextContents()).map((text) => Number.parseFloat(text) / 100);
    shown.forEach((p, i) => {
      expect(Math.abs(p - top[i].probability)).toBeLessThan(1e-3);
    });
    await page.locator(".says").first().waitFor();
    const canvas = page.locator("canvas.picture").first();
    const drawn = () => canvas.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
    const before = await drawn();
    const box = await page.locator(".asked").first().boundingBox();
    await page.mouse.move((box?.x ?? 0) + 0.1 * (box?.width ?? 0), (box?.y ?? 0) + 0.1 * (box?.height ?? 0));
    await expect.poll(drawn, { timeout: 60_000 }).not.toBe(before);
  });

  it("answers with Node's numbers to 1e-4", { timeout: 300_000 }, async () => {
    const place = at("asked");
    await bundlePage("./page.ts", place);
    for (const name of ["vit", "mixer"])
      await copyFile(at("hosted", "models", `${name}.onnx`), join(place, `${name}.onnx`));
    await copyFile(picture, join(place, "it.png"));
    const asked = await serveFolder(place);
    const backend = await createOrtBackend({ threads: 1 });
    const other = await browser.newPage();
    await other.goto(`${asked.origin}/`);
    await other.waitForFunction("globalThis.page");
    for (const name of ["vit", "mixer"]) {
      const trained = await openTrained(at("runs", name));
      if (trained.kind !== "weights") throw new Error("no weights");
      const expected = await answers(trained, await decodeFile(picture), backend);
      const found = (await other.evaluate(`globalThis.page.answers("${name}.onnx", "it.png")`)) as typeof expected;
      expect(Object.keys(found)).toEqual(Object.keys(expected));
      for (const key of Object.keys(expected)) expectClose(found[key], expected[key]);
    }
    await Promise.all([asked.close(), backend.dispose(), other.close()]);
  });

  it("opens where models are looked through when it has no run", async () => {
    const trained = await openTrained(at("runs", "mixer"));
    await exportSite(at("models alone"), { runs: [], models: [{ name: "mine", trained }] });
    const alone = await serveFolder(at("models alone"));
    const other = await browser.newPage();
    await other.goto(`${alone.origin}/`);
    await other.getByRole("heading", { name: "Look", exact: true }).waitFor({ timeout: 60_000 });
    expect(await other.locator("option").allTextContents()).toContain("mine");
    await Promise.all([other.close(), alone.close()]);
  });

  it("with --device webgpu has that runtime too, and does without where the browser has no GPU", async () => {
    const runs = [at("runs")];
    await exportSite(at("gpu"), { runs, models: [], device: "webgpu" });
    expect((await readdir(at("gpu", "ort"))).sort()).toEqual(
      ["", ".asyncify"]
        .flatMap((build) => [`ort-wasm-simd-threaded${build}.mjs`, `ort-wasm-simd-threaded${build}.wasm`])
        .sort(),
    );
    const gpu = await serveFolder(at("gpu"));
    const other = await browser.newPage();
    await other.goto(`${gpu.origin}/#/look?model=mixer`);
    await other.locator("input[type=file]").setInputFiles(picture);
    await other.locator(".guesses li").nth(4).waitFor({ timeout: 60_000 });
    await Promise.all([other.close(), gpu.close()]);
  });

  it("did nothing on its console or beyond its origin", () => {
    expect(faults).toEqual([]);
  });
});
