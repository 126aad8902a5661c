import { extname } from "node:path";
import type { TopLevelSpec } from "vega-lite";
import { TesseraeError } from "../errors.ts";
import { writeFileAtomic } from "./atomic-write.ts";

/** A Vega-Lite specification. Its data are values inside it: a chart reads no file and no address. */
export type Chart = TopLevelSpec;

/** Distinguishable with the common kinds of colour blindness (Okabe and Ito), yellow left out: it vanishes on white. */
export const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#5A5A5A"] as const;

const FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/** The look of all our charts; a chart's own `config` wins. */
const LOOK = {
  background: "white",
  font: FONT,
  padding: 12,
  view: { stroke: "#cccccc" },
  axis: {
    gridColor: "#eeeeee",
    domainColor: "#888888",
    tickColor: "#888888",
    labelColor: "#333333",
    titleFontWeight: 500,
  },
  title: { fontSize: 13, fontWeight: 600, anchor: "start", offset: 8 },
  line: { strokeWidth: 1.75 },
  range: { category: [...COLORS] },
} as const;

/** Draws a chart: the text of an SVG file. The libraries are loaded at the first call. */
export async function drawChart(chart: Chart): Promise<string> {
  const [{ compile }, { View, parse }] = await Promise.all([import("vega-lite"), import("vega")]);
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  const view = new View(parse(compile(chart, { config: LOOK as never }).spec), { renderer: "none", loader });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

const refuse = (uri: string): Promise<never> =>
  Promise.reject(new TesseraeError("internal", "a chart must hold its data itself", { where: uri }));

/** Points of an SVG's pixel that make one of a PNG's. */
const PNG_SCALE = 2;

/** An SVG as a PNG of twice its size, so that text stays sharp. */
export async function rasterize(svg: string): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return sharp(Buffer.from(svg), { density: 72 * PNG_SCALE })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** The same with its size, for who must know it. */
export async function pictureOf(svg: string): Promise<{ png: Uint8Array; width: number; height: number }> {
  const { default: sharp } = await import("sharp");
  const png = await rasterize(svg);
  const { width, height } = await sharp(png).metadata();
  return { png, width, height };
}

export const PICTURE_TYPES: readonly string[] = [".svg", ".png"];

/** Throws TesseraeError("usage") for a name that ends neither in .svg nor in .png: before the work, not after it. */
export function checkPictureName(path: string): void {
  if (PICTURE_TYPES.includes(extname(path).toLowerCase())) return;
  throw new TesseraeError("usage", "a picture's name ends in .svg or .png", { where: path });
}

/** Draws a chart into a .svg or .png file. Throws TesseraeError("usage" | "io"). */
export async function writeChart(path: string, chart: Chart): Promise<void> {
  checkPictureName(path);
  const svg = await drawChart(chart);
  await writeFileAtomic(path, extname(path).toLowerCase() === ".png" ? await rasterize(svg) : svg);
}
