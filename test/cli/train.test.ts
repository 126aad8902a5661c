import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import * as ort from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { lastLine, type Output, scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
/** Eight classes of 8 images: six to train on, two held out. Three are renamed. */
const shapes = at("shapes 図形");
const RENAMED: Readonly<Record<string, string>> = { circle: "丸い 形", square: "네모 😀", star: 'étoile "five", ★' };
const picture = "写真 1 📷.png";
/** Averages and stochastic depth, so that a resumed run has to bring back all it keeps. */
const FLAGS = [...TINY, "--epochs", "3", "--model-ema", "0.9", "--drop-path", "0.1", "--log-interval", "1"];

const train = (output: string, ...flags: string[]) =>
  tesserae(["train", shapes, ...FLAGS, "--output", at(output), ...flags]);

/** Weights and moments of a run's last step. */
function finalState(run: string): Buffer[] {
  const last = readdirSync(at(run))
    .filter((name) => name.startsWith("checkpoint-"))
    .sort()
    .at(-1) as string;
  return ["model.safetensors", "optimizer.safetensors"].map((file) => readFileSync(at(run, last, file)));
}

const csv = (run: string): string[][] =>
  readFileSync(at(run, "summary.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .map((row) => row.split(","));

/** Lines of metrics.jsonl, less what differs from day to day. */
const journal = (run: string): object[] =>
  readFileSync(at(run, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { time, seconds, imagesPerSecond, rss, ...facts } = JSON.parse(line);
      return facts;
    });

let trained: Output;

beforeAll(async () => {
  const made = await tesserae(["synth", shapes, "--count", "64", "--seed", "3", "--size", "16"]);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toContain("48 training images and 16 held out, of 8 classes");
  for (const split of ["train", "val"]) {
    for (const [from, to] of Object.entries(RENAMED)) renameSync(join(shapes, split, from), join(shapes, split, to));
    const class_ = join(shapes, split, RENAMED.circle);
    renameSync(join(class_, "00000.png"), join(class_, picture));
  }
  trained = await train("run", "-j", "1");
});

describe("train", () => {
  it("leaves a run folder with checkpoints, the model and the records of the run", () => {
    expect(trained.code, trained.stderr).toBe(0);
    expect(
      readdirSync(at("run"))
        .filter((name) => !name.startsWith("checkpoint-"))
        .map((name) => name.replace(/tfevents.*/, "tfevents"))
        .sort(),
    ).toEqual([
      ...["config.json", "confusion.csv", "confusion.svg", "events.out.tfevents", "metrics.jsonl", "model.onnx"],
      ...["per-class.csv", "summary.csv"],
    ]);
    const [header, ...rows] = csv("run");
    const columns = ["eval_loss", "eval_top1", "eval_top5"];
    expect(header).toEqual(["epoch", "train_loss", ...columns, ...columns.map((c) => `${c}_ema`), "lr"]);
    expect(rows.map(([epoch]) => epoch)).toEqual(["0", "1", "2"]);
    const config = JSON.parse(readFileSync(at("run", "config.json"), "utf8"));
    expect(config.spec.classes).toEqual(expect.arrayContaining(Object.values(RENAMED)));
  });

  it("tells of its progress on stderr, and what to run next on stdout", () => {
    expect(trained.stderr).toMatch(
      /^vit_tiny_patch16_224 \(\S+ k parameters\) on 48 images, 16 held out, 8 classes; 3 epochs/,
    );
    expect(trained.stderr).toMatch(
      /epoch 1\/3 {2}batch 2\/6 {2}loss \d\.\d+ {2}lr \S+ {2}\d+ images\/s {2}eta \d+:\d\d/,
    );
    expect(trained.stderr).toMatch(/epoch 3\/3 {2}loss \d\.\d+ {2}val top-1 \d+\.\d\d %.*averaged top-1/);
    expect(trained.stdout).toContain(at("run", "model.onnx"));
    expect(trained.stdout).toContain(`tesserae eval ${at("run")} '${shapes}'`);
  });

  it("is repeated by its config.json to the same bits, flags winning", async () => {
    const config = JSON.parse(readFileSync(at("run", "config.json"), "utf8"));
    expect(config).toMatchObject({ format: "tesserae-run", data: shapes, images: { train: 48, val: 16 } });
    expect(config.versions).toMatchObject({ node: process.versions.node, sharp: expect.stringMatching(/^\d/) });
    expect(config.versions.tesserae).toMatch(/^\d+\.\d+/);
    const again = (output: string, ...flags: string[]) =>
      tesserae(["train", "--config", at("run", "config.json"), "--output", at(output), ...flags]);
    const repeated = await again("repeated");
    expect(repeated).toMatchObject({ code: 0 });
    expect(repeated.stderr).not.toContain("warning");
    expect(finalState("repeated")).toEqual(finalState("run"));
    expect(readFileSync(at("repeated", "model.onnx"))).toEqual(readFileSync(at("run", "model.onnx")));
    const fewer = await again("repeated-less", "--epochs", "1", "--val-fraction", "0.5");
    expect(fewer.code, fewer.stderr).toBe(0);
    expect(csv("repeated-less")).toHaveLength(2);
  });

  it("warns where the images are not those of the run that is repeated", async () => {
    const config = JSON.parse(readFileSync(at("run", "config.json"), "utf8"));
    config.fingerprint.val = "0".repeat(32);
    writeFileSync(at("other.json"), JSON.stringify(config));
    const run = await tesserae(["train", "--config", at("other.json"), "--output", at("other"), "--epochs", "1"]);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("warning: the images of val are not those of the run that is repeated");
    writeFileSync(at("newer.json"), JSON.stringify({ ...config, settings: { ...config.settings, warp: 9 } }));
    const newer = await tesserae(["train", "--config", at("newer.json")]);
    expect(newer.code).toBe(2);
    expect(lastLine(newer.stderr)).toMatch(/settings that this version does not know: warp$/);
  });

  it("does not start over in a folder that holds a run", async () => {
    const again = await train("run");
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/^error: .*holds a run already\. Go on with --resume auto/);
  });

  it.each(["0", "2"])("gives the same weights with -j %s", async (workers) => {
    expect(await train(`workers-${workers}`, "-j", workers)).toMatchObject({ code: 0 });
    expect(finalState(`workers-${workers}`)).toEqual(finalState("run"));
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s saves and exits 130; --resume auto ends with the same bits",
    async (signal) => {
      const run = `stopped-${signal}`;
      let sent = false;
      const command = ["train", shapes, ...FLAGS, "--output", at(run), "--resume", "auto"];
      const stopped = await tesserae(command, {
        onStderr: (child, stderr) => {
          if (sent || !stderr.includes("batch 2/6")) return;
          sent = true;
          child.kill(signal);
        },
      });
      expect(stopped.code, stopped.stderr).toBe(130);
      expect(stopped.stderr).toMatch(/interrupted after step \d+; saved in/);
      expect(lastLine(stopped.stderr)).toMatch(/^ {2}tesserae train '.*' --img-size .*--resume auto$/);
      expect(existsSync(at(run, "model.onnx"))).toBe(false);
      expect((await tesserae(command)).code).toBe(0);
      expect(finalState(run)).toEqual(finalState("run"));
      expect(readFileSync(at(run, "model.onnx"))).toEqual(readFileSync(at("run", "model.onnx")));
      expect(csv(run)).toEqual(csv("run"));
      expect(journal(run)).toEqual(journal("run"));
    },
  );

  it("--resume auto of a finished run has nothing to do", async () => {
    const copy = at("copy");
    cpSync(at("run"), copy, { recursive: true });
    expect(await train("copy", "--resume")).toMatchObject({ code: 0 });
    expect(finalState("copy")).toEqual(finalState("run"));
    expect(csv("copy")).toEqual(csv("run"));
  });
});

describe("flags of experiments", () => {
  it("bench takes options of the model", async () => {
    const tiny = ["--img-size", "16", "-b", "2", "--steps", "1", "--threads", "1", "--json"];
    const bench = await tesserae(["bench", "convmixer", ...tiny, "--model-kwargs", "dim=8", "depth=1"]);
    expect(bench.code, bench.stderr).toBe(0);
    expect(JSON.parse(bench.stdout)).toMatchObject({ model: "convmixer", batch: 2, imageSize: 16 });
    const wrong = await tesserae(["bench", "convmixer", ...tiny, "--model-kwargs", "dims=8"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: convmixer: has no option dims/) });
  });

  it("profile tells operators and modules apart, and writes a Chrome trace", async () => {
    const tiny = ["--model", "convmixer", "--img-size", "16", "-b", "2", "--steps", "1", "--threads", "1"];
    const trace = at("trace.json");
    const kwargs = ["--model-kwargs", "dim=8", "depth=1"];
    const profile = await tesserae(["profile", ...tiny, "-o", trace, "--json", ...kwargs]);
    expect(profile.code, profile.stderr).toBe(0);
    const { byOperator, byModule } = JSON.parse(profile.stdout);
    const [operators, modules] = [byOperator, byModule].map((sums) => sums.map((s: { what: string }) => s.what));
    expect(operators).toContain("Conv");
    expect(modules).toEqual(expect.arrayContaining(["stem.0", "blocks.0", "head", "loss", "optimizer"]));
    const { traceEvents } = JSON.parse(readFileSync(trace, "utf8"));
    expect(traceEvents[0]).toMatchObject({ ph: "X", cat: expect.stringMatching(/^(forward|backward|update)$/) });
    const wrong = await tesserae(["profile", ...tiny, "--without", "nonsense"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: there is no pass nonsense/) });
  });

  it("tune measures the forms of heavy operators once, and says which it would take", async () => {
    const model = ["--model", "convmixer", "--img-size", "16", "-b", "64", "--threads", "1"];
    const tune = (...more: string[]) =>
      tesserae(["tune", ...model, ...more], { env: { TESSERAE_CACHE: at("forms-cache") } });
    const kwargs = ["--model-kwargs", "dim=64", "depth=1", "patch_size=1", "kernel_size=3"];
    const first = await tune("--json", ...kwargs);
    expect(first.code, first.stderr).toBe(0);
    const { measured, path } = JSON.parse(first.stdout);
    expect(Object.keys(measured)).toContainEqual(
      expect.stringMatching(/^ConvWeightGrad 64x64x16x16 64x64x16x16 .*1,1/),
    );
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(measured);
    const second = await tune(...kwargs);
    expect(second.stdout).toContain(`batch 64: 0 measured, ${Object.keys(measured).length} known before`);
    expect(await tune("--device", "webgpu")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: operators have several forms on the CPU only/),
    });
  });

  it("train on a part, on permuted pixels, evaluated at the end alone; eval does what training did", async () => {
    const flags = ["--train-fraction", "0.5", "--permute-pixels", "3", "--crop-pct", "1", "--val-interval", "2"];
    const run = await tesserae(["train", shapes, ...TINY, ...flags, "--epochs", "3", "--output", at("permuted")]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toContain("on 24 images, 16 held out");
    const [header, ...rows] = csv("permuted");
    const [top1, loss] = ["eval_top1", "eval_loss"].map((name) => header.indexOf(name));
    expect(rows.map((row) => row[top1] !== "")).toEqual([false, true, true]);
    const evaluate = async (...more: string[]) =>
      JSON.parse((await tesserae(["eval", at("permuted"), shapes, "--json", ...more])).stdout);
    const plain = await evaluate();
    const kept = rows.find((row) => Number(row[top1]) === Math.max(...rows.map((r) => Number(r[top1])))) as string[];
    expect(plain.loss).toBeCloseTo(Number(kept[loss]), 5);
    expect((await evaluate("--translate", "0")).loss).toBe(plain.loss);
    const moved = await evaluate("--translate", "4");
    expect(moved.loss).not.toBeCloseTo(plain.loss, 3);
    expect((await evaluate("--translate", "4")).loss).toBe(moved.loss);
  });
});

describe("a trained model", () => {
  const best = () =>
    Math.max(
      ...csv("run")
        .slice(1)
        .map((row) => Number(row[csv("run")[0].indexOf("eval_top1_ema")])),
    );
  const images = [join("val", RENAMED.circle, picture), join("val", "ring", "00001.png")];
  const predict = async (model: string, ...flags: string[]) => {
    const output = await tesserae(["predict", ...images.map((i) => join(shapes, i)), "--model", model, ...flags]);
    expect(output.code, output.stderr).toBe(0);
    return output.stdout;
  };
  const predictions = async (model: string) =>
    (await predict(model, "--json"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));

  it("evaluates to what summary.csv says of its best epoch", async () => {
    const output = await tesserae(["eval", at("run"), shapes, "--json", "-b", "5"]);
    expect(output).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(output.stdout)).toMatchObject({ images: 16, top1: best(), skipped: {} });
    expect((await tesserae(["eval", at("run", "model.onnx"), shapes])).stdout).toContain(
      `top-1 ${best().toFixed(2)} %`,
    );
  });

  it("is measured class by class", async () => {
    const flags = ["--json", "--per-class", "--confusion", at("confusion.json")];
    const { perClass, top1 } = JSON.parse((await tesserae(["eval", at("run"), shapes, ...flags])).stdout);
    expect(perClass).toHaveLength(8);
    expect(perClass.map((c: { images: number }) => c.images)).toEqual(new Array(8).fill(2));
    const { classes, counts } = JSON.parse(readFileSync(at("confusion.json"), "utf8"));
    const right = classes.reduce((sum: number, _: string, c: number) => sum + counts[c][c], 0);
    expect((100 * right) / 16).toBe(top1);
    const rows = parse(readFileSync(at("run", "confusion.csv"), "utf8")) as string[][];
    expect(rows.slice(1)).toEqual(classes.map((name: string, c: number) => [name, ...counts[c].map(String)]));
    const table = await tesserae(["eval", at("run", "model.onnx"), shapes, "--per-class"]);
    expect(table.stdout).toMatch(/^class +images +accuracy %/);
    const refused = await tesserae(["eval", at("run"), shapes, "--confusion", "c.txt"]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("must end in .csv") });
  });

  it("predicts, a JSON line per image", async () => {
    const lines = await predictions(at("run"));
    expect(lines.map((line) => line.image)).toEqual(images.map((i) => join(shapes, i)));
    for (const { top } of lines) {
      expect(top).toHaveLength(5);
      expect(Object.keys(top[0])).toEqual(["index", "label", "probability"]);
      expect(top[0].probability).toBeGreaterThanOrEqual(top[1].probability);
    }
    const known = readdirSync(join(shapes, "train"));
    expect(known).toEqual(
      expect.arrayContaining(lines.flatMap(({ top }) => top.map((t: { label: string }) => t.label))),
    );
  });

  it("predicts for people, names in any script", async () => {
    const text = await predict(at("run"), "-k", "8");
    expect(text).toContain(picture);
    for (const name of Object.values(RENAMED)) expect(text).toMatch(new RegExp(`^ +\\d+\\.\\d\\d % {2}${name}$`, "m"));
  });

  it("is the newest run under runs/ where none is named", async () => {
    mkdirSync(at("place", "runs"), { recursive: true });
    cpSync(at("run"), at("place", "runs", "one"), { recursive: true });
    const output = await tesserae(["predict", join(shapes, images[0]), "--json"], { cwd: at("place") });
    expect(output.code).toBe(0);
    expect(output.stderr).toContain(join("runs", "one"));
  });

  it("exports with a free batch, which answers the same", async () => {
    const file = at("free.onnx");
    expect(await tesserae(["export", at("run"), "-o", file, "--batch", "free"])).toMatchObject({ code: 0, stderr: "" });
    const [ours, exported] = [await predictions(at("run")), await predictions(file)];
    for (const [i, { top }] of ours.entries()) {
      expect(exported[i].top[0].index).toBe(top[0].index);
      expect(exported[i].top[0].probability).toBeCloseTo(top[0].probability, 5);
    }
    const session = await ort.InferenceSession.create(file);
    for (const n of [1, 3, 7]) {
      const image = new ort.Tensor("float32", new Float32Array(n * 3 * 16 * 16), [n, 3, 16, 16]);
      expect((await session.run({ image })).logits.dims).toEqual([n, 8]);
    }
    await session.release();
  });

  it("exports with a fixed batch", async () => {
    const file = at("fixed.onnx");
    expect((await tesserae(["export", at("run"), "-o", file, "--batch", "2"])).stdout).toContain("[2, 3, 16, 16]");
    const session = await ort.InferenceSession.create(file);
    const image = new ort.Tensor("float32", new Float32Array(2 * 3 * 16 * 16), [2, 3, 16, 16]);
    expect((await session.run({ image })).logits.dims).toEqual([2, 8]);
    await session.release();
  });

  it("is described by info", async () => {
    const { stdout } = await tesserae(["info", at("run"), "--json"]);
    const facts = JSON.parse(stdout);
    expect(facts).toMatchObject({ name: "vit_tiny_patch16_224", inputShape: [3, 16, 16], options: { depth: 2 } });
    expect(facts.classes).toContain(RENAMED.square);
    expect((await tesserae(["info", at("run", "model.onnx")])).stdout).toContain("vit_tiny_patch16_224");
  });
});

describe("one folder of classes", () => {
  it("is split by seed, and eval measures what the run held out", async () => {
    const flat = at("flat");
    cpSync(join(shapes, "train"), flat, { recursive: true });
    const output = ["--output", at("flat-run"), "--val-fraction", "0.34", "--seed", "7"];
    const run = await tesserae(["train", flat, ...TINY, "--epochs", "1", ...output]);
    expect(run.stderr).toContain("32 images, 16 held out");
    const held = JSON.parse((await tesserae(["eval", at("flat-run"), flat, "--json"])).stdout);
    const [header, row] = csv("flat-run");
    expect(held).toMatchObject({ images: 16, top1: Number(row[header.indexOf("eval_top1")]) });
    const all = JSON.parse((await tesserae(["eval", at("run"), flat, "--json"])).stdout);
    expect(all.images).toBe(48);
  });
});

describe("models", () => {
  it("are listed as JSON without loading a native library", async () => {
    const output = await tesserae(["models", "vit_tiny_patch16_*", "--json", "--sort", "gmacs"], {
      env: { NODE_OPTIONS: "--no-addons" },
    });
    expect(output).toMatchObject({ code: 0, stderr: "" });
    const models = JSON.parse(output.stdout);
    expect(models[0]).toMatchObject({ name: "vit_tiny_patch16_224", parameters: 5717416, imageSize: 224 });
    expect(Object.keys(models[0])).toEqual(["name", "parameters", "gmacs", "activations", "imageSize", "paper"]);
    expect(models[0].gmacs).toBeCloseTo(1.25, 1);
  });

  it("help is shown without loading a native library", async () => {
    const output = await tesserae(["train", "--help"], { env: { NODE_OPTIONS: "--no-addons" } });
    expect(output).toMatchObject({ code: 0, stderr: "" });
  });
});
