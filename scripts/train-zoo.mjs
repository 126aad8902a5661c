// npm run zoo -- CIFAR10 [--train 500] [--test 100] [--epochs N] [--only resnet18,...] [--write]
// Trains one small model of each kind on a part of CIFAR-10 (CIFAR10/train/CLASS/*, CIFAR10/test/CLASS/*) by the
// command line, prints what they reach, and with --write keeps it in docs/models.md.
import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const FILE = "docs/models.md";
const COMMON = ["--crop", "pad", "--smoothing", "0.1", "--seed", "1"];

/** Small images and few steps: small strides, batches and widths. */
const ZOO = [
  { label: "resnet18", model: "resnet18", size: 32, epochs: 3, batch: 64, lr: 1e-3 },
  {
    label: "ConvMixer-256/8",
    model: "convmixer",
    kwargs: ["dim=256", "depth=8", "kernel_size=5", "patch_size=2"],
    ...{ size: 32, epochs: 1, batch: 32, lr: 2e-3 },
  },
  { label: "mobilenetv3_small_100", model: "mobilenetv3_small_100", size: 64, epochs: 8, batch: 64, lr: 2e-3 },
  { label: "pvt_v2_b0", model: "pvt_v2_b0", size: 64, epochs: 3, batch: 64, lr: 1e-3 },
  {
    label: "Swin, small",
    model: "swin_tiny_patch4_window7_224",
    kwargs: ["patch_size=2", "window_size=4", "embed_dim=48", "depths=[2,2,2]", "num_heads=[2,4,8]"],
    ...{ size: 32, epochs: 4, batch: 64, lr: 1e-3 },
  },
  {
    label: "MaxViT, small",
    model: "maxvit_pico_rw_256",
    kwargs: ["embed_dim=[32,64,128]", "depths=[1,1,2]", "window_size=4"],
    ...{ size: 64, epochs: 3, batch: 64, lr: 1e-3 },
  },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    train: { type: "string", default: "500" },
    test: { type: "string", default: "100" },
    epochs: { type: "string" },
    only: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const source = positionals[0] ?? fail("name the folder of CIFAR-10: npm run zoo -- CIFAR10");
const counts = { train: Number(values.train), test: Number(values.test) };
for (const [split, count] of Object.entries(counts)) {
  if (!existsSync(join(source, split))) fail(`${source} holds no ${split}/CLASS/* images`);
  if (!(Number.isInteger(count) && count > 0)) fail(`--${split} takes a number of images per class`);
}
if (!existsSync("dist/cli/main.js")) fail("dist is absent: run `npm run build` first");
const only = values.only?.split(",");
const chosen = ZOO.filter(({ label, model }) => !only || only.includes(model) || only.includes(label));
if (chosen.length === 0) fail(`--only takes ${ZOO.map(({ model }) => model).join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "tesserae-zoo-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

const classes = subset(source, join(folder, "data"), counts);
const rows = [];
for (const entry of chosen) rows.push(await run(entry));
const report = reportOf(rows);
console.log(`\n${report}`);
if (values.write) write(report);
const poor = rows.filter(({ top1 }) => !(top1 > 200 / classes));
if (poor.length > 0) fail(`no better than twice chance: ${poor.map(({ label }) => label).join(", ")}`);

/** The first images of every class. */
function subset(from, to, each) {
  const names = readdirSync(join(from, "train")).sort();
  for (const [split, count] of Object.entries(each))
    for (const name of names) {
      mkdirSync(join(to, split, name), { recursive: true });
      const images = readdirSync(join(from, split, name))
        .sort()
        .slice(0, count);
      for (const image of images) copyFileSync(join(from, split, name, image), join(to, split, name, image));
    }
  return names.length;
}

async function run({ label, model, kwargs = [], size, batch, lr, ...rest }) {
  const epochs = Number(values.epochs ?? rest.epochs);
  const flags = [
    ...["--model", model, "--img-size", String(size), "--epochs", String(epochs)],
    ...["-b", String(batch), "--lr", String(lr)],
    ...(kwargs.length > 0 ? ["--model-kwargs", ...kwargs] : []),
  ];
  console.log(`> tesserae train ${flags.join(" ")} ${COMMON.join(" ")}`);
  const output = join(folder, "runs", model);
  const start = performance.now();
  const log = await tesserae(["train", join(folder, "data"), ...flags, ...COMMON, "--output", output]);
  const seconds = (performance.now() - start) / 1000;
  const last = [...log.matchAll(/val top-1 ([\d.]+) %.*?(?:, (\d+) images\/s)?$/gm)].at(-1);
  if (!last) fail(`${label}: the run has no last epoch`);
  const step = last[2] ? (1000 * batch) / Number(last[2]) : Number.NaN;
  const settings = [`${size} px, ${plural(epochs, "epoch")}, batch ${batch}, lr ${lr}`, ...kwargs].join(" ");
  return { label, settings, top1: Number(last[1]), seconds, step };
}

/** Runs the command line; what it says is shown and given back. */
function tesserae(args) {
  const env = { ...process.env, NO_COLOR: "1" };
  const child = spawn(process.execPath, ["dist/cli/main.js", ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    log += text;
    process.stderr.write(text);
  });
  return new Promise((resolve) => {
    child.on("error", (error) => fail(error.message));
    child.on("close", (code) => (code === 0 ? resolve(log) : fail(`the run ended with code ${code}`)));
  });
}

function reportOf(all) {
  const lines = all.map(({ label, settings, top1, seconds, step }) =>
    [label, settings, `${top1.toFixed(1)} %`, seconds.toFixed(0), Number.isNaN(step) ? "" : step.toFixed(0)].join(
      " | ",
    ),
  );
  return [
    "| model | settings | top-1 | seconds | ms per step |",
    "| --- | --- | ---: | ---: | ---: |",
    ...lines.map((line) => `| ${line} |`),
  ].join("\n");
}

function write(report) {
  const text = readFileSync(FILE, "utf8");
  const marked = /(<!-- zoo:begin -->\n)[\s\S]*?(<!-- zoo:end -->)/;
  if (!marked.test(text)) fail(`${FILE} has no place for the table`);
  const note = `${counts.train} images a class to train on, ${counts.test} to measure; seconds are the whole command's.`;
  writeFileSync(
    FILE,
    text.replace(marked, (_, begin, end) => `${begin}\n${report}\n\n${note}\n\n${end}`),
  );
}

function plural(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
