import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type StudioServer, startStudio } from "../src/node/studio/index.ts";
import type { Guess } from "../src/train/predictor.ts";
import { hasChromium, launchChromium, needsChromium, seriousFaults, watch } from "./browser.ts";
import { built, main, TINY, tesserae } from "./cli/cli.ts";
import { buildStudioPage, trainedRuns } from "./studio-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-page-"));
const at = (...path: string[]) => join(folder, ...path);
const origin = () => `http://127.0.0.1:${studio.port}`;
const picture = (name: string) => at("shapes", "val", name, "00000.png");

let studio: StudioServer;
let browser: Browser;
let page: Page;
let faults: string[];
let training: ChildProcess | undefined;

/** A page of its own on the studio, with the token. */
async function open(hash = "#/", options: BrowserContextOptions = {}): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  faults = watch(page, origin());
  await page.goto(studio.url);
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await page.goto(`${origin()}/${hash}`);
}

/** Drops files on the page, or pastes them, as a browser would tell of it. */
async function give(kind: "drop" | "paste", paths: readonly string[]): Promise<void> {
  await page.locator(".invitation, .strip").waitFor();
  const files = paths.map((path) => ({ name: path.split("/").slice(-2).join("-"), data: [...readFileSync(path)] }));
  await page.evaluate(
    ([how, list]) => {
      const transfer = new DataTransfer();
      for (const { name, data } of list)
        transfer.items.add(new File([Uint8Array.from(data)], name, { type: "image/png" }));
      const event =
        how === "drop"
          ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
          : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    },
    [kind, files] as const,
  );
}

const guesses = (panel = 0) => page.locator(".guesses").nth(panel).locator("li");

/** The drawing as text: it differs when a pixel does. */
const drawn = (panel = 0): Promise<string> =>
  page
    .locator("canvas.picture")
    .nth(panel)
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

/** Moves the pointer to a part of the picture. */
async function point(x: number, y: number, panel = 0): Promise<void> {
  const box = await page.locator(".asked").nth(panel).boundingBox();
  if (!box) throw new Error("no picture");
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
}

/** What takes its time on a busy machine. */
const poll: typeof expect.poll = (ask, options) => expect.poll(ask, { timeout: 30_000, ...options });

const says = () => page.locator(".says").first();

describe.skipIf(!hasChromium)(needsChromium("the studio's page"), () => {
  beforeAll(async () => {
    built();
    buildStudioPage();
    await trainedRuns(folder);
    studio = await startStudio({ runs: [at("runs")], engine: { threads: 1 } });
    browser = await launchChromium();
  });
  afterAll(async () => {
    training?.kill("SIGKILL");
    await browser?.close();
    await studio?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    const seen = faults;
    await page.context().close();
    expect(seen).toEqual([]);
  });

  it("keeps the token out of the address, and says what is missing to who has none", async () => {
    await open();
    expect(page.url()).not.toContain("token");
    await page.reload();
    await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(origin());
    await stranger.getByText("open the address that the command printed").waitFor();
    await stranger.context().close();
  });

  it("gives a dropped image the top five that the command line gives", async () => {
    await open("#/look?model=vit");
    await give("drop", [picture("star")]);
    await guesses().nth(4).waitFor();
    const { stdout } = await tesserae([
      "predict",
      picture("star"),
      "--model",
      at("runs", "vit"),
      "--json",
      "--threads",
      "1",
    ]);
    const { top } = JSON.parse(stdout) as { top: Guess[] };
    const shown = await guesses().evaluateAll((items) =>
      items.map((i) => [i.querySelector(".label")?.textContent, i.querySelector(".number")?.textContent]),
    );
    const text = (p: number) => `${(100 * p).toFixed(p > 0.0995 ? 1 : 2)} %`;
    expect(shown).toEqual(top.map(({ label, probability }) => [label, text(probability)]));
  });

  it("takes several images at once, by drop, paste and file picker, and says which cannot be read", async () => {
    await open("#/look?model=vit");
    await page.locator("input[type=file]").setInputFiles([picture("ring"), picture("heart")]);
    await give("paste", [picture("cross")]);
    await give("drop", [at("runs", "vit", "config.json")]);
    const strip = page.locator(".strip li");
    await poll(() => strip.count()).toBe(4);
    await poll(() => strip.locator("span.dim").allTextContents()).toContain("cannot be read");
    await page.getByText("the image: not an image that can be read").waitFor();
    await page.getByRole("button", { name: /Remove .*config/ }).click();
    await poll(() => strip.count()).toBe(3);
    // The browser tells its console of every answer that is a refusal.
    expect(faults.splice(0)).toEqual([expect.stringContaining("422")]);
  });

  it("shows where the patch under the pointer looks, by head and layer; keys and presses choose one too", async () => {
    await open("#/look?model=vit");
    await give("drop", [picture("star")]);
    await says().waitFor();
    expect(await says().textContent()).toMatch(/^The class token looks most at row \d, column \d: /);
    const seen = new Set([await drawn()]);
    const look = async (what: string) => {
      await poll(async () => seen.has(await drawn()), { message: what }).toBe(false);
      seen.add(await drawn());
    };
    await point(0.1, 0.1);
    await look("the first patch");
    expect(await says().textContent()).toContain("The patch in row 1, column 1 looks most at");
    await point(0.9, 0.6);
    await look("another patch");
    expect(await says().textContent()).toContain("row 3, column 4");
    await page.locator(".heads button").nth(2).click();
    await page.getByRole("application").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await poll(() => page.url()).toMatch(/head=1&at=0\.8750/);
    await look("a head, and a patch by keys");
    await page.getByRole("slider").fill("0");
    await poll(() => says().textContent()).toMatch(/looks most at/);
    await look("another layer");
    await page.reload();
    expect(page.url()).toMatch(/layer=0&head=1&at=/);
    await give("drop", [picture("star")]);
    await poll(() => page.getByText("Layer 1 of 2").count()).toBe(1);
    await page.getByRole("application").focus();
    await page.keyboard.press("Escape");
    await poll(() => says().textContent()).toContain("The class token");
  });

  it("shows class evidence, and for another class other evidence", async () => {
    await open("#/look?model=vit");
    await give("drop", [picture("star")]);
    await says().waitFor();
    const plain = await drawn();
    await page.getByText("Grad-CAM", { exact: true }).click();
    await poll(() => drawn()).not.toBe(plain);
    await page.getByText(/^Grad-CAM for /).waitFor();
    const first = await drawn();
    await guesses().nth(3).getByRole("button").click();
    await poll(() => drawn()).not.toBe(first);
    expect(page.url()).toMatch(/show=gradcam.*class=\d/);
  });

  it("puts two models side by side, which ask the same patch", async () => {
    await open("#/look?model=vit&model=mixer");
    await give("drop", [picture("star")]);
    await guesses(1).nth(4).waitFor();
    await page.getByText("convmixer has no attention").waitFor();
    await page.getByLabel("beside").selectOption("vit");
    await poll(() => page.locator(".asked").count()).toBe(2);
    await poll(() => page.locator(".says").count()).toBe(2);
    await point(0.1, 0.9, 1);
    for (const i of [0, 1]) await poll(() => page.locator(".says").nth(i).textContent()).toContain("row 4, column 1");
  });

  it("moves a run's curves while it trains, and its state in the list", async () => {
    await open();
    const flags = ["--epochs", "400", "--output", at("runs", "live"), "--record-interval", "1"];
    training = spawn(process.execPath, [main, "train", at("shapes"), ...TINY, ...flags], { stdio: "ignore" });
    await page.getByRole("link", { name: /^live/ }).waitFor();
    await poll(() => page.locator(".run .state.running").count()).toBe(1);
    await page.getByRole("link", { name: /^live/ }).click();
    const points = () => page.locator(".chart [data-points]").first().getAttribute("data-points").then(Number);
    await poll(points).toBeGreaterThan(2);
    const loss = page.locator(".chart").first();
    const before = await points();
    const image = await loss.screenshot();
    await poll(points).toBeGreaterThan(before + 10);
    await poll(async () => (await loss.screenshot()).equals(image)).toBe(false);
    training.kill("SIGINT");
    await poll(() => page.locator(".state.stopped").count(), { timeout: 60_000 }).toBe(1);
  });

  it("compares the curves and settings of runs", async () => {
    await open("#/compare?run=vit&run=mixer");
    await poll(() => page.locator(".chart").count()).toBe(4);
    await page
      .getByRole("row", { name: /modelOptions.patch_size|^model / })
      .first()
      .waitFor();
    await page.getByLabel("mixer", { exact: true }).uncheck();
    await poll(() => page.url()).not.toContain("mixer");
  });

  const views = [
    "#/",
    "#/run/vit",
    "#/compare?run=vit&run=mixer",
    "#/look?model=vit&model=mixer",
    "#/look?model=vit&show=gradcam",
  ];
  const looks: [string, BrowserContextOptions][] = [
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["on a phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ];
  it.each(looks)("has no serious fault for axe, and fits its window: %s", async (_, options) => {
    await open("#/", options);
    for (const view of views) {
      await page.goto(`${origin()}/${view}`);
      if (view.startsWith("#/look")) await give("drop", [picture("star")]);
      await page.locator(".chart canvas, .guesses, .runs").first().waitFor();
      expect(await seriousFaults(page), view).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), view).toBe(true);
    }
  });

  it("chooses patches by touch", async () => {
    await open("#/look?model=vit", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    await give("drop", [picture("star")]);
    await says().waitFor();
    const tap = async () => page.getByRole("application").tap({ position: { x: 20, y: 20 } });
    await tap();
    await poll(() => says().textContent()).toContain("row 1, column 1");
    await tap();
    await poll(() => says().textContent()).toContain("The class token");
  });
});
