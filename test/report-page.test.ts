import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launchChromium, needsChromium, seriousFaults, watch } from "./browser.ts";
import { built, TINY, tesserae } from "./cli/cli.ts";

const PATIENCE = 240_000;

describe.skipIf(!hasChromium)(needsChromium("a run's report in a browser"), () => {
  const folder = mkdtempSync(join(tmpdir(), "tesserae-report-"));
  const at = (...path: string[]) => join(folder, ...path);
  let browser: Browser;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    built();
    await tesserae(["synth", at("shapes"), "--count", "64", "--seed", "3"]);
    const train = ["train", at("shapes"), ...TINY, "--report", "--epochs", "2", "--output", at("run")];
    expect((await tesserae(train)).code).toBe(0);
    const { code, stderr } = await tesserae(["report", at("run"), "--threads", "1", "--limit", "16"]);
    expect([code, stderr]).toEqual([0, ""]);
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
    faults = watch(page, pathToFileURL(folder).href);
    await page.goto(pathToFileURL(at("run", "report.html")).href);
  }, PATIENCE);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    "opens from a file without errors and without a request",
    async () => {
      expect(await page.title()).toBe("run");
      expect(await page.locator("section").evaluateAll((all) => all.map((s) => s.id))).toEqual([
        ...["curves", "quality", "images", "explanations", "set", "robustness", "data", "model"],
      ]);
      // Pictures inside are whole.
      const broken = await page
        .locator("img")
        .evaluateAll((all) => all.filter((i) => !(i as HTMLImageElement).naturalWidth));
      expect(broken).toEqual([]);
      expect(faults).toEqual([]);
    },
    PATIENCE,
  );

  it.each(["light", "dark"] as const)(
    "has no serious fault of access in %s colours",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(background).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(23, 23, 28)");
      expect(await seriousFaults(page)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    "enlarges every figure with mouse and keyboard, and closes it again",
    async () => {
      const dialog = page.locator("dialog");
      const buttons = page.locator("button.zoom");
      const figures = await page.locator("figure").count();
      expect(await buttons.count()).toBe(figures);
      expect(figures).toBeGreaterThan(10);
      await buttons.first().click();
      expect(await dialog.evaluate((d: HTMLDialogElement) => d.open)).toBe(true);
      const [small, large] = [page.locator(".plate svg").first(), dialog.locator("div svg")];
      expect((await large.boundingBox())?.width).toBeGreaterThan((await small.boundingBox())?.width ?? Infinity);
      await page.keyboard.press("Escape");
      expect(await dialog.evaluate((d: HTMLDialogElement) => d.open)).toBe(false);
      await buttons.nth(1).focus();
      await page.keyboard.press("Enter");
      expect(await dialog.evaluate((d: HTMLDialogElement) => d.open)).toBe(true);
      await dialog.locator(".close").click();
      expect(await dialog.evaluate((d: HTMLDialogElement) => d.open)).toBe(false);
      expect(faults).toEqual([]);
    },
    PATIENCE,
  );

  it(
    "prints in black on white, without what is for the screen, also where the system is dark",
    async () => {
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      const seen = await page.evaluate(() => ({
        navigation: getComputedStyle(document.querySelector("nav") as Element).display,
        text: getComputedStyle(document.body).color,
        background: getComputedStyle(document.body).backgroundColor,
      }));
      expect(seen).toEqual({ navigation: "none", text: "rgb(0, 0, 0)", background: "rgb(255, 255, 255)" });
      const pdf = await page.pdf({ format: "A4" });
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
      await page.emulateMedia({ media: "screen", colorScheme: "light" });
    },
    PATIENCE,
  );
});
