import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { walk } from "../src/explain/walk/index.ts";
import { drawingSvg, pictureAddress } from "../src/node/explain.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { hasChromium, launchChromium, needsChromium, seriousFaults, watch } from "./browser.ts";
import { SMALL } from "./lecture-models.ts";
import { exampleOf } from "./lecture-subject.ts";

describe.skipIf(!hasChromium)(needsChromium("lectures in a browser"), () => {
  const folder = mkdtempSync(join(tmpdir(), "tesserae-lectures-"));
  let backend: Backend;
  let browser: Browser;
  beforeAll(async () => {
    [backend, browser] = await Promise.all([createOrtBackend({ threads: 1 }), launchChromium()]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([backend?.dispose(), browser?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes a lecture to a file and opens it. */
  async function open(name: string, language: "en" | "ja" | "ko") {
    const { of, picture } = await exampleOf(backend, name, SMALL[name].options);
    const path = join(folder, `${name}.html`);
    writeFileSync(path, await walk(of, picture, { language, toSvg: drawingSvg, toAddress: pictureAddress }));
    const page = await browser.newPage();
    const faults = watch(page, "file://");
    await page.goto(pathToFileURL(path).href);
    return { page, faults };
  }

  it.each(Object.keys(SMALL))(
    "open without an error, a request or a serious fault of accessibility: %s",
    async (name) => {
      const { page, faults } = await open(name, "en");
      expect(await page.locator("section").count()).toBe(SMALL[name].steps.split(" ").length);
      expect(await seriousFaults(page)).toEqual([]);
      expect(faults).toEqual([]);
      await page.close();
    },
    60_000,
  );

  it("draw other lines for another patch, and enlarge a figure and close it", async () => {
    const { page, faults } = await open("vit_tiny_patch16_224", "ko");
    const lines = () => page.locator("#lines .drawn").innerHTML();
    const cell = (i: number) => page.locator(`#lines [data-i="${i}"]`);
    await cell(0).hover();
    const first = await lines();
    expect(first).toContain("<line");
    await cell(8).hover();
    expect(await lines()).not.toBe(first);
    await cell(0).focus();
    expect(await lines()).toBe(first);
    await page.locator("#step-scores .zoom").click();
    expect(await page.locator("dialog[open] svg").count()).toBe(1);
    await page.locator("dialog .close").click();
    expect(await page.locator("dialog[open]").count()).toBe(0);
    expect(faults).toEqual([]);
  }, 60_000);
});
