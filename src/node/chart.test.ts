import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { type Chart, COLORS, drawChart, writeChart } from "./chart.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-chart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chart: Chart = {
  width: 200,
  height: 100,
  data: {
    values: [
      { x: 0, y: 1, run: "a <b> & 図" },
      { x: 1, y: 3, run: "a <b> & 図" },
    ],
  },
  mark: "line",
  encoding: {
    x: { field: "x", type: "quantitative" },
    y: { field: "y", type: "quantitative" },
    color: { field: "run", type: "nominal" },
  },
};

describe("charts", () => {
  it("are SVG text with our colours, and names in it are escaped", async () => {
    const svg = await drawChart(chart);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toContain(`stroke="${COLORS[0]}"`);
    expect(svg).toContain("a &lt;b&gt; &amp; 図");
    expect(await drawChart(chart)).toBe(svg);
  });

  it("are PNG files of twice the size, or SVG files, by the name", async () => {
    const [svg, png] = [join(folder, "c.svg"), join(folder, "c.PNG")];
    await writeChart(svg, chart);
    await writeChart(png, chart);
    const text = readFileSync(svg, "utf8");
    const width = Number(/width="(\d+)"/.exec(text)?.[1]);
    expect(await sharp(png).metadata()).toMatchObject({ format: "png", width: 2 * width });
    await expect(writeChart(join(folder, "c.gif"), chart)).rejects.toThrow(/ends in .svg or .png/);
  });

  it("read no file", async () => {
    const url = join(folder, "points.csv");
    writeFileSync(url, "x,y,run\n0,1,secret\n1,3,secret\n");
    const spec = { ...chart, data: { url, format: { type: "csv" } } } as Chart;
    expect(await drawChart(spec).catch(String)).not.toContain("secret");
  });
});
