// node scripts/augmentation-sheets.mjs: the pictures of docs/augmentation.md, from the built library and drawn images.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

const FOLDER = "docs/augmentation";
const SIDE = 96;
const COLUMNS = 8;
const SHAPE = [3, SIDE, SIDE];

if (!existsSync("dist/data/transform.js")) {
  console.error("error: dist is absent: run `npm run build` first");
  process.exit(1);
}
const { applyTransform, trainTransform } = await import("../dist/data/transform.js");
const { contactSheet } = await import("../dist/data/contact-sheet.js");
const { drawMixes, mixImages } = await import("../dist/data/mixup.js");
const { operations } = await import("../dist/data/policy/operations.js");
const { keyed } = await import("../dist/data/random.js");
const { drawSynth } = await import("../dist/data/synth.js");

const drawn = (name, index) => ({ width: 2 * SIDE, height: 2 * SIDE, data: drawSynth(11, name, index, 2 * SIDE) });
const IMAGES = [drawn("star", 3), drawn("crescent", 8)];
const MIXED = [...IMAGES, drawn("heart", 1), drawn("ring", 0), drawn("square", 2), drawn("cross", 4)];

/** The whole image, resized and not mirrored. */
const PLAIN = { scale: [1, 1], ratio: [1, 1], hflip: 0, interpolation: "bicubic" };

const tile = (image, settings, index) => {
  const out = new Uint8Array(3 * SIDE * SIDE);
  applyTransform(trainTransform({ size: SIDE, ...PLAIN, ...settings }), image, 3, { seed: 1, epoch: 0, index }, out);
  return out;
};

/** A row for each image: as it is, then as seven samples. */
const draws = (settings) =>
  IMAGES.flatMap((image) => [
    tile(image, {}, 0),
    ...Array.from({ length: COLUMNS - 1 }, (_, i) => tile(image, settings, i)),
  ]);

/** A batch, plain, and the same batch mixed, each image with the one at its mirrored place. */
function mixes(options) {
  const batch = Array.from({ length: COLUMNS }, (_, i) => tile(MIXED[i % MIXED.length], {}, i));
  const drawn = drawMixes({ prob: 1, switchProb: 0.5, mode: "elem", ...options }, COLUMNS, [SIDE, SIDE], {
    seed: 3,
    epoch: 0,
    batch: 0,
  });
  const mixed = mixImages(Buffer.concat(batch), drawn, SHAPE);
  return [...batch, ...batch.map((b, i) => mixed.subarray(i * b.length, (i + 1) * b.length))];
}

/** A row for each operation that RandAugment, AutoAugment or AugMix draws from, at magnitudes from 1 to 10. */
const LEVELS = [1, 2.5, 4, 5.5, 7, 8.5, 10];
function operationRows(names) {
  const settings = { fill: [128, 128, 128], filters: ["bicubic"], translateConst: 43, translatePct: 0.45 };
  return names.flatMap((name) => {
    const plain = tile(IMAGES[0], {}, 0);
    const changed = LEVELS.map((level) => {
      const image = { data: plain.slice(), channels: 3, width: SIDE, height: SIDE };
      const { argument, apply } = operations[name];
      apply(image, argument?.(level, settings, 1) ?? 0, settings, keyed(1));
      return image.data;
    });
    return [plain, ...changed];
  });
}

/** Not those of which another is the stronger, the same in pixels, or drawn anew. */
const LEFT_OUT = ["PosterizeOriginal", "TranslateX", "TranslateY", "GaussianBlurRand"];
const shown = Object.keys(operations).filter((name) => !operations[`${name}Increasing`] && !LEFT_OUT.includes(name));
const SHEETS = {
  randomResizedCrop: draws({ scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }),
  randomCrop: draws({ crop: "pad", padding: 12 }),
  horizontalFlip: draws({ hflip: 0.5 }),
  verticalFlip: draws({ vflip: 0.5 }),
  autoAugment: draws({ aa: "original" }),
  threeAugment: draws({ aa: "3a", colorJitter: 0.3 }),
  randAugment: draws({ aa: "rand-m9-mstd0.5-inc1" }),
  augMix: draws({ aa: "augmix-m5-w4-d2" }),
  colorJitter: draws({ colorJitter: [0.4, 0.4, 0.4, 0.1] }),
  randomGrayscale: draws({ grayscaleProb: 0.5 }),
  randomGaussianBlur: draws({ gaussianBlurProb: 1 }),
  randomSolarize: draws({ solarizeProb: 0.5 }),
  randomErasing: [
    ...draws({ reprob: 1 }).slice(0, COLUMNS),
    ...draws({ reprob: 1, remode: "rand", recount: 3 }).slice(0, COLUMNS),
    ...draws({ reprob: 1, remode: "pixel" }).slice(0, COLUMNS),
  ],
  mixup: mixes({ mixup: 0.8, cutmix: 0 }),
  cutmix: mixes({ mixup: 0, cutmix: 1 }),
  operations: operationRows(shown),
};

mkdirSync(FOLDER, { recursive: true });
for (const [name, tiles] of Object.entries(SHEETS)) {
  const { width, height, data } = contactSheet(tiles, { shape: SHAPE, columns: COLUMNS, gap: 3 });
  const file = join(FOLDER, `${name}.webp`);
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .webp({ quality: 65 })
    .toBuffer();
  writeFileSync(file, bytes);
  console.log(`${file}: ${width} x ${height}, ${Math.round(bytes.length / 1024)} kB`);
}
console.log(`operations, from the top: ${shown.join(", ")}`);
