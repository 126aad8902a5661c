import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createModel } from "../src/models/index.ts";
import { specOf } from "../src/models/spec.ts";
import { initialize } from "../src/models/trace.ts";
import { exportFile } from "../src/node/export-file.ts";
import { openPretrained, openTrained } from "../src/node/model-files.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { createPredictor } from "../src/node/predictor.ts";
import { writeSynth } from "../src/node/synth.ts";
import { train } from "../src/node/train.ts";
import type { TrainEvent, TrainOptions } from "../src/node/train-options.ts";
import { exportOnnx } from "../src/train/export.ts";
import { writeSafetensors } from "../src/weights/safetensors.ts";
import { type FakeHub, startHub } from "./hub-server.ts";
import { shuffleNames } from "./shuffle-names.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-start-"));
const at = (name: string) => join(folder, name);
const shapes = at("shapes");
beforeAll(() => writeSynth(shapes, { count: 64, seed: 0, size: 16 }));
afterAll(() => rmSync(folder, { recursive: true }));

const short: Partial<TrainOptions> = {
  data: shapes,
  epochs: 2,
  batchSize: 16,
  crop: "pad",
  threads: 1,
  workers: 0,
  report: false,
};

async function trained(output: string, options: Partial<TrainOptions>) {
  const events: TrainEvent[] = [];
  const result = await train({
    ...short,
    ...options,
    output: at(output),
    onEvent: (event) => void events.push(event),
  } as TrainOptions);
  const lines = events.flatMap((e) => (e.type === "note" || e.type === "warning" ? [e.message] : []));
  return { ...result, lines };
}

describe("training from a model on the hub", () => {
  const COMMIT = "a".repeat(40);
  const tiny = { embed_dim: 16, depth: 1, num_heads: 2, patch_size: 8 };
  const weights = initialize(createModel("vit_tiny_patch16_224", { ...tiny, img_size: 32, num_classes: 3 }), 1);
  let hub: FakeHub;
  beforeAll(async () => {
    const config = {
      architecture: "vit_tiny_patch16_224",
      num_classes: 3,
      model_args: tiny,
      pretrained_cfg: { input_size: [3, 32, 32], mean: [0.1, 0.2, 0.3], std: [1, 1, 1] },
    };
    const files = {
      "config.json": new TextEncoder().encode(JSON.stringify(config)),
      "README.md": new TextEncoder().encode("---\nlicense: mit\n---\n"),
      "model.safetensors": new Uint8Array(Buffer.concat(writeSafetensors(weights))),
    };
    const card = { cardData: { license: "mit" } };
    hub = await startHub({ "timm/vit_x.test_in1k": { refs: { main: COMMIT }, commits: { [COMMIT]: files }, card } });
    vi.stubEnv("HF_HOME", at("home"));
    vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => hub.close());

  it("tells the licence before the download, keeps it, and goes on without a network", async () => {
    const asked: number[] = [];
    const events: string[] = [];
    const result = await train({
      ...(short as TrainOptions),
      pretrained: "vit_x.test_in1k",
      epochs: 1,
      imgSize: 16,
      output: at("hub"),
      onDownload: ({ file }) => events.includes(file) || events.push(file),
      onEvent: (event) => {
        if (event.type === "note") events.push(event.message);
        if (event.type === "note" && asked.length === 0) asked.push(hub.requests.filter(isDownload).length);
      },
    });
    expect(events[0]).toBe("timm/vit_x.test_in1k: licence mit");
    expect(asked).toEqual([0]);
    expect(events).toContain("model.safetensors");
    const { spec } = await openTrained(result.output);
    expect(spec).toMatchObject({ name: "vit_tiny_patch16_224", license: "mit", inputShape: [3, 16, 16] });
    expect(spec.preprocessing.mean).toEqual([0.1, 0.2, 0.3]);

    vi.stubEnv("HF_HOME", at("home"));
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    for (const name of ["timm/vit_x.test_in1k", "hf-hub:timm/vit_x.test_in1k", `vit_x.test_in1k@${COMMIT}`])
      expect((await openPretrained(name)).tensors.get("cls_token")?.data, name).toEqual(weights.get("cls_token")?.data);
    expect((await openTrained("vit_x.test_in1k")).spec.classes).toHaveLength(3);
  });

  const isDownload = ({ path }: { path: string }) => path.includes("safetensors");

  it.each([
    ["./vit_x.test_in1k", /no such file or folder/],
    [`${shapes}/none`, /no such file or folder/],
    ["model.onnx", /no such file or folder/],
    ["src/none.x", /src\/none\.x: no such file or folder/],
  ])("does not ask the hub for what is a path: %s", async (name, says) => {
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    await expect(openPretrained(name)).rejects.toThrow(says);
  });
});

describe("training from an ONNX file that something else wrote", () => {
  const file = at("foreign.onnx");
  const model = createModel("convmixer_768_32", {
    ...{ img_size: 32, num_classes: 5, dim: 16, depth: 2, kernel_size: 3, patch_size: 4 },
  });
  beforeAll(() => {
    const { model: bytes } = exportOnnx(model, specOf(model, []), initialize(model, 1), { batch: 1 });
    writeFileSync(file, shuffleNames(bytes));
  });

  it("trains its graph, resumes, evaluates, exports ONNX, and reads that back", async () => {
    const options = { pretrained: file, mean: [0.5], std: [0.5, 0.4, 0.3], lr: 1e-3 };
    const whole = await trained("whole", options);
    expect(whole.lines.join("\n")).toMatch(/the batch was fixed at 1; it is free now/);
    expect(whole.lines.join("\n")).toMatch(/the classifier begins anew: head\.weight, head\.bias/);
    expect(whole.lines.join("\n")).not.toMatch(/assumed/);
    const first = await trained("parts", { ...options, epochs: 2, signal: AbortSignal.abort() });
    expect(first.interrupted).toBe(true);
    const rest = await trained("parts", { ...options, resume: "auto" });
    expect(rest.epochs.at(-1)?.trainLoss).toBe(whole.epochs.at(-1)?.trainLoss);
    expect(whole.epochs.at(-1)?.trainLoss).toBeLessThan(whole.epochs[0].trainLoss);

    const run = await openTrained(whole.output);
    expect(run.spec.preprocessing).toMatchObject({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.4, 0.3] });
    await exportFile(run, at("trained.onnx"));
    const copy = await openTrained(at("trained.onnx"));
    const source = await openPretrained(at("trained.onnx"));
    if (run.kind !== "weights") throw new Error("a run holds weights");
    for (const [name, { data }] of run.weights) expect(source.tensors.get(name)?.data, name).toEqual(data);

    const backend = await createOrtBackend({ threads: 1 });
    const pixels = Uint8Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => (i * 37) % 256);
    const logits = await Promise.all([run, copy].map(async (m) => (await createPredictor(m, backend)).logits(pixels)));
    expect(logits[1]).toEqual(logits[0]);
    await backend.dispose();
  });

  it("takes no --model, whose graph it would not be", async () => {
    await expect(trained("two", { pretrained: file, model: "resnet18" })).rejects.toThrow(/leave --model out/);
  });

  it("of ours is its own architecture, which takes another image size", async () => {
    const vit = createModel("vit_tiny_patch16_224", {
      ...{ img_size: 16, patch_size: 8, embed_dim: 16, depth: 1, num_heads: 2, num_classes: 3 },
    });
    const weights = initialize(vit, 2);
    writeFileSync(at("own.onnx"), exportOnnx(vit, specOf(vit, ["a", "b", "c"]), weights).model);
    const source = await openPretrained(at("own.onnx"));
    expect(source).toMatchObject({ model: "vit_tiny_patch16_224", classes: ["a", "b", "c"] });
    for (const [name, { data }] of weights) expect(source.tensors.get(name)?.data, name).toEqual(data);
    const { lines } = await trained("own", { pretrained: at("own.onnx"), imgSize: 24, epochs: 1 });
    expect(lines.join("\n")).toMatch(/1 position tables resampled/);
  });
});
