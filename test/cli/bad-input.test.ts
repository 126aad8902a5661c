import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { type Output, scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const shapes = at("shapes");

beforeAll(async () => {
  const made = await tesserae(["synth", shapes, "--count", "32", "--size", "16"]);
  expect(made.code, made.stderr).toBe(0);
  expect(await train(shapes, "--epochs", "2", "--output", at("run"))).toMatchObject({ code: 0 });
});

const train = (data: string, ...flags: string[]) => tesserae(["train", data, ...TINY, "--epochs", "1", ...flags]);

/** One clear line, nothing on stdout, and a code that says so. */
function expectError({ code, stdout, stderr }: Output, message: RegExp, expected = 1): void {
  expect(stderr).toMatch(message);
  expect(
    stderr
      .trimEnd()
      .split("\n")
      .filter((line) => line.startsWith("error: ")),
  ).toHaveLength(1);
  expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^error: [^\n]*$/);
  expect(stderr).not.toMatch(/error: unexpected|\n\s+at /);
  expect(stdout).toBe("");
  expect(code).toBe(expected);
}

/** Training that fails leaves no run folder behind. */
async function expectNoTraining(data: string, flags: readonly string[], message: RegExp, code = 1): Promise<void> {
  const output = at("never");
  expectError(await train(data, ...flags, "--output", output), message, code);
  expect(existsSync(output)).toBe(false);
}

/** A copy of the shapes, changed. */
function changed(name: string, change: (dir: string) => void): string {
  const dir = at(name);
  cpSync(shapes, dir, { recursive: true });
  change(dir);
  return dir;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const crc = ~body.reduce((c, byte) => crcTable[(c ^ byte) & 0xff] ^ (c >>> 8), 0xffffffff) >>> 0;
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc);
  return Buffer.concat([length, body, check]);
}

/** A few hundred bytes that unpack to 3.6 thousand million pixels. */
function bomb(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(60000, 0);
  header.writeUInt32BE(60000, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(Buffer.alloc(1 << 16));
  const chunks = [pngChunk("IHDR", header), pngChunk("IDAT", pixels), pngChunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

/** Files named as images that are none, and what is said of them. */
const BROKEN: Readonly<Record<string, { bytes: () => Uint8Array; says: RegExp }>> = {
  "text.png": { bytes: () => Buffer.from("no image"), says: /not an image/ },
  "empty.png": { bytes: () => Buffer.alloc(0), says: /empty \(zero bytes\)/ },
  "cut.png": {
    bytes: () => readFileSync(join(shapes, "train", "ring", "00000.png")).subarray(0, 200),
    says: /truncated/,
  },
  "bomb.png": { bytes: bomb, says: /too large/ },
};

const writeBroken = (dir: string): string[] =>
  Object.entries(BROKEN).map(([name, { bytes }]) => {
    writeFileSync(join(dir, name), bytes());
    return join(dir, name);
  });

describe("folders", () => {
  it("missing", () => expectNoTraining(at("shape"), [], /shape: no such folder\. Did you mean .*shapes/));

  it("empty", async () => {
    mkdirSync(at("empty"));
    await expectNoTraining(at("empty"), [], /empty: the folder is empty/);
  });

  it("a file", async () => {
    writeFileSync(at("file"), "");
    await expectNoTraining(at("file"), [], /file: not a folder/);
  });

  it("a class without images", async () => {
    const dir = changed("no-rings", (d) => {
      rmSync(join(d, "train", "ring"), { recursive: true });
      mkdirSync(join(d, "train", "ring"));
    });
    await expectNoTraining(dir, [], /class ring has no images/);
  });

  it("one class only", async () => {
    cpSync(join(shapes, "train", "ring"), at("lonely", "ring"), { recursive: true });
    await expectNoTraining(at("lonely"), [], /only one class, ring/);
  });

  it("val classes other than train's", async () => {
    const dir = changed("other-val", (d) => renameSync(join(d, "val", "ring"), join(d, "val", "rings")));
    await expectNoTraining(dir, [], /classes differ from train's \(only in val: rings; only in train: ring\)/);
  });

  it("classes the model does not know", async () => {
    const dir = changed("other-classes", (d) => {
      for (const part of ["train", "val"]) renameSync(join(d, part, "ring"), join(d, part, "rings"));
    });
    expectError(await tesserae(["eval", at("run"), dir]), /does not know the class rings/);
  });
});

describe("images", () => {
  it("that are broken are reported by predict, which goes on and exits 1", async () => {
    mkdirSync(at("broken"));
    const broken = writeBroken(at("broken"));
    const good = join(shapes, "val", "star", "00000.png");
    const output = await tesserae(["predict", ...broken, at("none.png"), good, "--model", at("run"), "--json"]);
    expect(output.code).toBe(1);
    const errors = output.stderr.trimEnd().split("\n");
    for (const [i, { says }] of Object.values(BROKEN).entries()) {
      expect(errors[i]).toMatch(/^error: /);
      expect(errors[i]).toContain(broken[i]);
      expect(errors[i]).toMatch(says);
    }
    expect(errors.at(-1)).toMatch(/none\.png: no such file/);
    expect(errors).toHaveLength(broken.length + 1);
    expect(JSON.parse(output.stdout).image).toBe(good);
  });

  it("that are broken are skipped in training and named at the end", async () => {
    const dir = changed("some-broken", (d) => void writeBroken(join(d, "train", "ring")));
    const output = await train(dir, "--output", at("skipping"));
    expect(output.code, output.stderr).toBe(0);
    expect(output.stderr).toContain("4 files could not be read and were skipped:");
    for (const [name, { says }] of Object.entries(BROKEN)) {
      const line = output.stderr.split("\n").find((text) => text.includes(join(dir, "train", "ring", name)));
      expect(line).toMatch(says);
    }
  });

  it("that are broken end training with --strict", async () => {
    const dir = changed("one-broken", (d) => writeFileSync(join(d, "train", "ring", "empty.png"), ""));
    const output = at("strict");
    expectError(await train(dir, "--strict", "--output", output), /empty\.png: .*zero bytes/);
    expect(existsSync(output)).toBe(false);
  });
});

describe("models", () => {
  it.each([
    [["--model", "vit_tiny_patch16_242"], /unknown model "vit_tiny_patch16_242"\. Did you mean vit_tiny_patch16_224/],
    [["--img-size", "18"], /18.*patch|patch.*18/],
    [["--model-kwargs", "num_heads=3"], /16.*3|3.*16/],
    [["--model-kwargs", "deepth=3"], /has no option deepth/],
    [["--in-chans", "4"], /--in-chans must be 3, or 1 for grey, not 4/],
    [["--num-classes", "3"], /num-classes 3 is less than the 8 classes/],
  ])("%s", (flags, message) => expectNoTraining(shapes, flags, message, 2));

  it("unknown to info and models: the nearest names", async () => {
    expectError(await tesserae(["info", "resnet_18"]), /unknown model.*Did you mean.*resnet18/, 2);
    expectError(await tesserae(["models", "restnet18"]), /no model is called "restnet18".*Did you mean.*resnet18/, 2);
  });
});

describe("checkpoints", () => {
  const resume = (...flags: string[]) => train(shapes, "--epochs", "3", "--resume", "auto", ...flags);
  const copyOf = (name: string): string => {
    cpSync(at("run"), at(name), { recursive: true });
    return at(name);
  };
  const checkpoints = (run: string) => readdirSync(run).filter((name) => name.startsWith("checkpoint-"));

  it("of another model: says which options differ", async () => {
    const run = copyOf("other-options");
    const before = readFileSync(join(run, "config.json"));
    const output = await resume("--model-kwargs", "depth=3", "--output", run);
    expectError(output, /with other options: depth was 2, is 3/, 2);
    expect(readFileSync(join(run, "config.json"))).toEqual(before);
  });

  it("of another architecture: says which weights differ", async () => {
    const output = await tesserae([
      "train",
      shapes,
      "--model",
      "resnet18",
      "--img-size",
      "32",
      "--resume",
      join(at("run"), checkpoints(at("run"))[0]),
      "--output",
      at("never"),
    ]);
    expectError(output, /as vit_tiny_patch16_224, not resnet18 \(\d+ missing: conv1\.weight.*unexpected: /, 2);
    expect(existsSync(at("never"))).toBe(false);
  });

  it("that is missing", () =>
    expectNoTraining(shapes, ["--resume", at("no-checkpoint")], /no-checkpoint.*(missing|no such)/));

  it("truncated: the one before is used; none left: an error", async () => {
    const run = copyOf("truncated");
    const [first, second] = checkpoints(run).sort();
    truncateSync(join(run, second, "model.safetensors"), 100);
    const output = await resume("--output", run);
    expect(output.code, output.stderr).toBe(0);
    expect(output.stderr).toMatch(/warning: .*damaged.*Using checkpoint-/);
    for (const name of checkpoints(run)) truncateSync(join(run, name, "model.safetensors"), 100);
    expect(first).not.toBe(second);
    expectError(await tesserae(["eval", run, shapes]), /no checkpoint can be loaded: .*damaged/);
    expectError(await resume("--output", run), /no checkpoint can be loaded: .*damaged/);
  });

  it("that are no models", async () => {
    writeFileSync(at("junk.onnx"), "junk");
    mkdirSync(at("no-run"));
    expectError(await tesserae(["eval", at("junk.onnx"), shapes]), /junk\.onnx: /);
    expectError(await tesserae(["export", at("no-run")]), /no-run: holds no checkpoint/);
    expectError(await tesserae(["export", at("run", "model.onnx"), "--quantize", "static"]), /needs --calibrate/, 2);
    expectError(await tesserae(["predict", "x.png", "--model", at("nothing")]), /nothing: no such file or folder/);
    expectError(await tesserae(["predict", "x.png"], { cwd: at("no-run") }), /there is no run under runs/, 2);
  });
});

describe("numbers", () => {
  it("that blow up stop the run and are named", () =>
    expectNoTraining(
      shapes,
      ["--lr", "1e30", "--clip-grad", "off", "--warmup-epochs", "0", "--max-bad-steps", "0"],
      /(the loss is (NaN|-?Infinity)|the gradient is not finite) at step \d+ \(epoch 1\); the first tensor that is not finite: \S+/,
    ));
});

describe("places", () => {
  it("where a file is in the way", async () => {
    writeFileSync(at("in-the-way"), "mine");
    expectError(await train(shapes, "--output", at("in-the-way")), /in-the-way: .*a file is in the way/);
    expectError(await train(shapes, "--output", at("in-the-way", "run")), /in-the-way.*a file is in the way/);
    expectError(await tesserae(["synth", at("in-the-way"), "--count", "16"]), /in-the-way: is a file/);
    expectError(await tesserae(["synth", shapes, "--count", "16"]), /shapes: folder is not empty/);
    expectError(await tesserae(["export", at("run"), "-o", at("in-the-way", "x.onnx")]), /x\.onnx: cannot write/);
    expect(readFileSync(at("in-the-way"), "utf8")).toBe("mine");
  });

  it("a device that is not there", () =>
    expectNoTraining(shapes, ["--device", "dml"], /device dml is not available here\. Available: .*cpu/));
});

describe("flags", () => {
  const run = (...args: string[]) => tesserae(args);

  it.each([
    [["--momentum", "0.9"], /--momentum is for --opt sgd, momentum, muon or nmuon/],
    [["--scale", "0.5", "1"], /--scale is for --crop rrc/],
    [["--warmup-epochs", "0", "--warmup-lr", "1e-5"], /--warmup-lr means nothing/],
    [["--warmup-epochs", "3"], /3 warm-up epochs leave nothing of 1/],
    [["--min-lr", "1"], /lowest rate 1 must lie between 0 and the peak/],
    [["--opt", "adm"], /--opt must be one of adamw, .*, not "adm"/],
    [["--sched", "cosin"], /--sched must be one of cosine, .*, not "cosin"/],
    [["--epochs", "0"], /--epochs.*at least 1/],
    [["--lr", "fast"], /--lr.*not a number/],
    [["--smoothing", "1"], /--smoothing must be in \[0, 1\), not 1/],
    [["--crop", "centre"], /--crop.*rrc, pad/],
    [["--hflip", "2"], /flip/],
    [["--epoch", "3"], /unknown option '--epoch'.*--epochs/],
    [["--config", "none.yaml"], /none\.yaml: no such file/],
  ])("%s", async (flags, message) => {
    const code = flags[0] === "--config" ? 1 : 2;
    await expectNoTraining(shapes, flags, message, code);
  });

  it("of a config file: unknown keys, with the nearest", async () => {
    writeFileSync(at("bad.yaml"), "epochs: 1\nbatchsize: 3\n");
    await expectNoTraining(shapes, ["--config", at("bad.yaml")], /bad\.yaml: unknown key batchsize.*batch-size/, 2);
  });

  it("of other commands", async () => {
    expectError(await run("trian"), /unknown command 'trian'.*train/, 2);
    expectError(await run("train"), /no folder of images is named/, 2);
    expectError(await run("predict"), /missing required argument 'image'/, 2);
    expectError(await run("eval", at("run")), /missing required argument 'data'/, 2);
    expectError(await run("export", at("run"), "--batch", "two"), /--batch.*neither a number nor "free"/, 2);
    expectError(await run("synth", at("s"), "--count", "3"), /cannot make 3 images/, 2);
    expectError(await run("models", "--sort", "age"), /--sort.*name, parameters, gmacs, size/, 2);
    expectError(await run("models", "a", "b"), /too many arguments/, 2);
  });
});

describe("fixtures", () => {
  it("without a model are skipped, which is no success", async () => {
    const figures = {
      options: {},
      input: [1, 3, 8, 8],
      labels: [0],
      tensors: [],
      eval: {},
      train: {},
      float32_error: {},
    };
    writeFileSync(at("nonesuch.json"), JSON.stringify({ model: "nonesuch_net", ...figures }));
    writeFileSync(at("torn.json"), "{");
    const files = [at("nonesuch.json"), at("torn.json"), at("absent.json")];
    const output = await tesserae(["verify", ...files, "--json"]);
    expect(output.code).toBe(1);
    const [nonesuch, torn, absent] = output.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(nonesuch).toEqual({
      fixture: "nonesuch",
      model: "nonesuch_net",
      ok: false,
      tensors: null,
      skipped: "the model does not exist yet",
      error: null,
      tolerance: null,
    });
    expect(torn).toMatchObject({ ok: false, failure: expect.stringContaining("is not JSON") });
    expect(absent).toMatchObject({ ok: false, failure: expect.stringContaining("no such file") });
    expect(output.stderr).toBe("0 of 3 verified; 2 FAILED; 1 skipped, which is no success\n");
    copyFileSync(at("nonesuch.json"), at("alone.json"));
    expect(await tesserae(["verify", at("alone.json")])).toMatchObject({ code: 1 });
  });
});
