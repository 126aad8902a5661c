// Pictures of docs/studio.md: node scripts/studio-pictures.mjs RUNS IMAGE [MODEL MODEL]
// needs a build and a chromium (CHROMIUM names another). Where two models are named, they look; else the runs' own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";
import sharp from "sharp";

const [runs, image, ...models] = process.argv.slice(2);
if (!image) {
  console.error("usage: node scripts/studio-pictures.mjs RUNS IMAGE [MODEL MODEL]");
  process.exit(2);
}
const out = new URL("../docs/figures/", import.meta.url);
mkdirSync(out, { recursive: true });

const studio = spawn(
  process.execPath,
  ["dist/cli/main.js", "studio", runs, "--json", ...models.flatMap((m) => ["--model", m])],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
process.on("exit", () => studio.kill("SIGINT"));
const [line] = await once(studio.stdout.setEncoding("utf8"), "data");
const { url, port, token } = JSON.parse(line);
const headers = { authorization: `Bearer ${token}` };
const answer = async (what) => (await fetch(`http://127.0.0.1:${port}/api/${what}`, { headers })).json();
const run = encodeURIComponent((await answer("runs"))[0].id);
const [one, other] = (await answer("models")).slice(-models.length).map((m) => encodeURIComponent(m.id));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });

/** Takes one picture, of few colours: the pages are flat. */
async function take(name, hash, { prepare = async () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1180, height: 900 }, ...options });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await page.goto(`http://127.0.0.1:${port}/${hash}`);
  await prepare(page);
  await page.waitForTimeout(1500);
  const png = await sharp(await page.screenshot())
    .png({ palette: true, colours: 192, effort: 10 })
    .toBuffer();
  writeFileSync(new URL(`studio-${name}.png`, out), png);
  await context.close();
}

/** Gives the image and points at a part of it. */
const look = (x, y) => async (page) => {
  await page.locator("input[type=file]").setInputFiles(image);
  await page.locator(".says").first().waitFor();
  const box = await page.locator(".asked").first().boundingBox();
  await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
};

await take("runs", "#/");
await take("run", `#/run/${run}`);
await take("look", `#/look?model=${one}`, { prepare: look(0.72, 0.42), colorScheme: "dark" });
await take("two", `#/look?model=${one}&model=${other}`, { prepare: look(0.72, 0.42) });
await browser.close();
process.exit();
