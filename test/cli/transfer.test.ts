import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const env = { TESSERAE_CACHE: at("cache") };
const run = (...args: string[]) => tesserae(args, { env });
const common = ["-b", "8", "--threads", "1"];

const checkpoint = (name: string, file: string) => {
  const newest = readdirSync(at(name))
    .filter((entry) => entry.startsWith("checkpoint-"))
    .sort()
    .at(-1) as string;
  return readSafetensors(new Uint8Array(readFileSync(at(name, newest, file))));
};

const finetune = (output: string, ...flags: string[]) =>
  run(
    ...["finetune", at("shapes"), "--pretrained", at("base"), "--crop", "pad", "--epochs", "2", ...common],
    ...["--output", at(output), ...flags],
  );

/** Adapters at one rate: a run of one epoch is the beginning of a run of two. */
const STEADY = ["--lora-rank", "2", "--sched", "constant", "--warmup-epochs", "0"];

beforeAll(async () => {
  await run("synth", at("shapes"), "--count", "64", "--seed", "3", "--size", "16");
  const base = await run("train", at("shapes"), ...TINY, "--epochs", "1", "--output", at("base"));
  expect(base.code, base.stderr).toBe(0);
});

describe("finetune", () => {
  it("with --freeze '*' trains the classifier alone, which begins as the linear probe", async () => {
    const made = await finetune("frozen", "--freeze", "*");
    expect(made.code, made.stderr).toBe(0);
    const [before, after] = [checkpoint("base", "model.safetensors"), checkpoint("frozen", "model.safetensors")];
    const changed = [...after.keys()].filter((name) => `${after.get(name)?.data}` !== `${before.get(name)?.data}`);
    expect(changed).toEqual(["head.weight", "head.bias"]);
    const moments = [...checkpoint("frozen", "optimizer.safetensors").keys()].filter((name) => name.includes("/"));
    expect(moments.length).toBeGreaterThan(0);
    expect(moments.filter((name) => !/\/head\./.test(name))).toEqual([]);
  });

  it("thaws layers from the last to the first", async () => {
    const made = await finetune("thawed", ...["--freeze", "*", "--unfreeze-epochs", "1", "--unfreeze-layers", "1"]);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/from epoch 2 on \d+ tensors are trained/);
    const [before, after] = [checkpoint("base", "model.safetensors"), checkpoint("thawed", "model.safetensors")];
    const same = (name: string) => `${after.get(name)?.data}` === `${before.get(name)?.data}`;
    expect(["blocks.0.mlp.fc1.weight", "patch_embed.proj.weight"].map(same)).toEqual([true, true]);
    expect(["blocks.1.mlp.fc1.weight", "head.weight"].map(same)).toEqual([false, false]);
  });

  it("trains adapters, keeps them in checkpoints, and gives merged weights", async () => {
    const made = await finetune("lora", ...STEADY);
    expect(made.code, made.stderr).toBe(0);
    const [before, after] = [checkpoint("base", "model.safetensors"), checkpoint("lora", "model.safetensors")];
    expect([...after.keys()].filter((name) => name.includes("lora_A"))).toHaveLength(8);
    expect(`${after.get("blocks.0.attn.qkv.weight")?.data}`).toBe(`${before.get("blocks.0.attn.qkv.weight")?.data}`);
    expect((after.get("blocks.0.attn.qkv.lora_B.weight") as { data: Float32Array }).data.some((v) => v !== 0)).toBe(
      true,
    );
    const [folderEval, fileEval] = [
      await run("eval", at("lora"), at("shapes"), "--json", "--threads", "1"),
      await run("eval", at("lora", "model.onnx"), at("shapes"), "--json", "--threads", "1"),
    ];
    expect(folderEval.code, folderEval.stderr).toBe(0);
    const [a, b] = [JSON.parse(folderEval.stdout), JSON.parse(fileEval.stdout)];
    expect(a.loss).toBeCloseTo(b.loss, 4);
    const start = Number(/before the first epoch: top-1 ([\d.]+) %/.exec(made.stderr)?.[1]);
    expect(a.top1).toBeCloseTo(Math.max(start, ...epochColumn("lora", "eval_top1")), 2);
  });

  it("goes on with adapters to the same bits", async () => {
    expect((await finetune("parts", ...STEADY, "--epochs", "1")).code).toBe(0);
    const more = await finetune("parts", ...STEADY, "--resume", "auto");
    expect(more.code, more.stderr).toBe(0);
    const [whole, parts] = ["lora", "parts"].map((name) => checkpoint(name, "model.safetensors"));
    for (const [name, { data }] of whole) expect(parts.get(name)?.data, name).toEqual(data);
  });

  it("ends after --patience epochs that were not better", async () => {
    const made = await finetune("patient", "--freeze", "*", "--lr", "1e-12", "--epochs", "9", "--patience", "2");
    expect(made.code, made.stderr).toBe(0);
    expect(made.stderr).toContain("ended after epoch 2");
  });

  it("refuses names that are no parameter's, and adapters together with --freeze", async () => {
    expect(await finetune("x", "--freeze", "blokcs.*")).toMatchObject({ code: 2 });
    expect((await finetune("x", "--freeze", "*", "--lora-rank", "2")).stderr).toMatch(
      /^error: .*--freeze means nothing/,
    );
    expect((await run("finetune", at("shapes"))).stderr).toMatch(/^error: .*--pretrained/);
    expect(existsSync(at("x"))).toBe(false);
  });
});

const epochColumn = (name: string, column: string): number[] => {
  const [header, ...rows] = readFileSync(at(name, "summary.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .map((row) => row.split(","));
  return rows.map((row) => Number(row[header.indexOf(column)]));
};

describe("frozen features", () => {
  it("make a linear probe that eval and predict take for a run", async () => {
    const made = await run(
      "probe",
      at("shapes"),
      "--pretrained",
      at("base"),
      ...common,
      "--output",
      at("probe"),
      "--json",
    );
    expect(made.code, made.stderr).toBe(0);
    const probe = JSON.parse(made.stdout);
    expect(probe.count).toBe(16);
    const measured = JSON.parse((await run("eval", at("probe"), at("shapes"), "--json", "--threads", "1")).stdout);
    expect(measured.top1).toBeCloseTo(probe.top1, 6);
    expect(measured.loss).toBeCloseTo(probe.loss, 3);
    const image = at("shapes", "val", "star", readdirSync(at("shapes", "val", "star"))[0]);
    expect((await run("predict", image, "--model", at("probe"), "--threads", "1")).code).toBe(0);
  });

  it("are kept, and computed again where what was kept is damaged", async () => {
    const knn = () => run("knn", at("shapes"), "--pretrained", at("base"), ...common, "-k", "3", "--json");
    const first = await knn();
    expect(first.code, first.stderr).toBe(0);
    const files = readdirSync(at("cache", "features")).map((name) => at("cache", "features", name));
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const file of files) {
      const bytes = readFileSync(file);
      bytes[bytes.length - 5] ^= 1;
      writeFileSync(file, bytes);
    }
    const second = await knn();
    expect(second.stderr).toContain("cached features are damaged");
    expect(second.stdout).toBe(first.stdout);
    expect((await knn()).stderr).not.toContain("damaged");
  });

  it("are written as .npy, Parquet and an index that finds an image itself first", async () => {
    const embed = (file: string) => run("embed", at("shapes"), "--model", at("base"), "-o", at(file), ...common);
    for (const file of ["f.npy", "f.parquet", "f.db"]) {
      const made = await embed(file);
      expect(made.code, made.stderr).toBe(0);
    }
    const npy = readFileSync(at("f.npy"));
    expect(npy.subarray(1, 6).toString()).toBe("NUMPY");
    const length = npy.readUInt16LE(8);
    expect((10 + length) % 64).toBe(0);
    expect(npy.subarray(10, 10 + length).toString()).toContain("'shape': (64, 16)");
    const values = new Float32Array(npy.buffer.slice(npy.byteOffset + 10 + length, npy.byteOffset + npy.length));
    const parquet = readFileSync(at("f.parquet"));
    const file = parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.length) as ArrayBuffer;
    const rows = (await parquetReadObjects({ file })) as { path: string; class: string; features: number[] }[];
    expect(rows.flatMap((row) => Array.from(row.features))).toEqual(Array.from(values));
    expect(readFileSync(at("f.csv"), "utf8").trimEnd().split("\n")).toHaveLength(65);
    const image = at("shapes", "val", "star", readdirSync(at("shapes", "val", "star"))[0]);
    const found = await run("search", image, "--index", at("f.db"), "--json", "--threads", "1");
    expect(found.code, found.stderr).toBe(0);
    const { nearest } = JSON.parse(found.stdout);
    expect(nearest).toHaveLength(5);
    expect(nearest[0]).toMatchObject({ class: "star", split: "val" });
    expect(nearest[0].cosine).toBeCloseTo(1, 5);
  });

  it("refuse an index that is none, and one of other weights", async () => {
    copyFileSync(at("f.csv"), at("no.db"));
    const image = at("shapes", "val", "star", readdirSync(at("shapes", "val", "star"))[0]);
    expect((await run("search", image, "--index", at("no.db"))).stderr).toMatch(/^error: .*no\.db: is no index/);
    const other = await run("search", image, "--index", at("f.db"), "--model", at("frozen"));
    expect(other.stderr, other.stderr).toMatch(/^error: .*not those that the index was made with/);
    expect((await run("embed", at("shapes"), "--model", at("base"), "-o", at("f.txt"))).code).toBe(2);
  });
});
