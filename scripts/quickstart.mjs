// npm run quickstart: from a fresh clone to a trained Vision Transformer and its ONNX file, by the commands a user types.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { install, run } from "./install.mjs";

const DATA = "runs/quickstart/shapes";
const RUN = "runs/quickstart/vit";
const RECIPE = "recipes/quickstart.yaml";

const tesserae = (...args) => run("npx", "tesserae", ...args);
const title = (text) => console.log(`\n\x1b[1m${text}\x1b[0m`);

install();
if (!existsSync("dist/cli/main.js")) run("npx", "tsdown", "--log-level", "warn");
if (!existsSync("dist/page/index.html")) run("npx", "vite", "build", "studio", "--logLevel", "warn");
rmSync("runs/quickstart", { recursive: true, force: true });

title("1. Draw an image set: eight shapes with colour, texture and clutter");
tesserae("synth", DATA, "--count", "4800", "--seed", "0");

title("2. Train a small Vision Transformer on it");
tesserae("train", DATA, "--config", RECIPE, "--output", RUN);

title("3. Evaluate it, and predict a few held-out images");
tesserae("eval", RUN, DATA);
const images = readdirSync(join(DATA, "val"))
  .slice(0, 4)
  .map((name) => join(DATA, "val", name, "00000.png"));
tesserae("predict", ...images, "--model", RUN, "--topk", "3");

title("4. Reload the exported ONNX file and compare its answers with the checkpoint's");
await compare(join(RUN, "model.onnx"));

title("Done");
console.log(`data        ${DATA}  (train/CLASS/*.png, val/CLASS/*.png)
run         ${RUN}  (checkpoints, summary.csv, config.json)
model       ${RUN}/model.onnx  (labels and preprocessing are in its metadata)

look at it in the browser:
  npx tesserae studio

next, on images of your own, one folder a class:
  npx tesserae train PHOTOS --model vit_tiny_patch16_224
  npx tesserae models "vit_*"
  npx tesserae info ${RUN}`);

async function compare(onnx) {
  const { createEngine, createPredictor, openTrained } = await import("../dist/node/index.js");
  const backend = await createEngine();
  const answers = [];
  for (const path of [RUN, onnx]) {
    const predictor = await createPredictor(await openTrained(path), backend);
    answers.push(await Promise.all(images.map((image) => predictor.predict(image, { top: 8 }))));
  }
  await backend.dispose();
  const [checkpoint, file] = answers.map((a) => a.flat());
  const byLabel = new Map(checkpoint.map((g, i) => [`${Math.floor(i / 8)} ${g.label}`, g.probability]));
  const largest = Math.max(
    ...file.map((g, i) => Math.abs(g.probability - byLabel.get(`${Math.floor(i / 8)} ${g.label}`))),
  );
  console.log(`largest difference of a probability over ${images.length} images: ${largest.toExponential(1)}`);
  if (!(largest < 1e-5)) {
    console.error("error: the exported model answers differently");
    process.exit(1);
  }
}
