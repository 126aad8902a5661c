// node scripts/corruption-sheet.mjs: the picture of docs/robustness.md, from the built library and drawn images.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import sharp from "sharp";

const SIDE = 112;
const FILE = "docs/figures/corruptions.webp";

if (!existsSync("dist/data/corrupt/index.js")) {
  console.error("error: dist is absent: run `npm run build` first");
  process.exit(1);
}
const { CORRUPTIONS, corrupt, corruptionNames } = await import("../dist/data/corrupt/index.js");
const { contactSheet } = await import("../dist/data/contact-sheet.js");
const { toPlanar } = await import("../dist/data/image.js");
const { drawSynth } = await import("../dist/data/synth.js");

const image = {
  data: toPlanar({ width: SIDE, height: SIDE, data: drawSynth(11, "star", 3, SIDE) }),
  channels: 3,
  width: SIDE,
  height: SIDE,
};
/** A row for each corruption: the image, then severities 1 to 5. */
const tiles = corruptionNames.flatMap((name) =>
  Array.from({ length: 6 }, (_, s) => {
    if (s === 0) return image.data;
    if (s > CORRUPTIONS[name].levels.length) return new Uint8Array(3 * SIDE * SIDE).fill(255);
    return corrupt(image, name, s, { seed: 1, index: 0 }).data;
  }),
);
const { width, height, data } = contactSheet(tiles, { shape: [3, SIDE, SIDE], columns: 12, gap: 3 });
mkdirSync("docs/figures", { recursive: true });
const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
  .webp({ quality: 70 })
  .toBuffer();
writeFileSync(FILE, bytes);
console.log(`${FILE}: ${width} x ${height}, ${Math.round(bytes.length / 1024)} kB`);
console.log(`rows, two to a line: ${corruptionNames.join(", ")}`);
