import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/cli/config.ts";
import { joinPairs, keyValue, pairOf } from "../../src/cli/flags.ts";
import { table } from "../../src/cli/output.ts";
import { createProgram } from "../../src/cli/program.ts";
import { Exit, exitCodeOf, report } from "../../src/cli/report.ts";
import { mergeFlags } from "../../src/cli/train-flags.ts";
import { TesseraeError } from "../../src/errors.ts";
import { peakRate } from "../../src/node/recipe.ts";
import { settle, type TrainSettings } from "../../src/node/settings/index.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const trainCommand = () => createProgram().definitions.find((d) => d.command.name() === "train")!.command;

describe("commands", () => {
  it.each(createProgram().definitions.map((d) => [d.command.name(), d.example] as const))(
    "%s --help shows an example that parses",
    async (name, example) => {
      const { command, definitions, run } = createProgram();
      const definition = definitions.find((d) => d.command.name() === name)!;
      let help = "";
      definition.command.configureOutput({ writeOut: (text) => (help += text) });
      await expect(run([name, "--help"])).rejects.toMatchObject({ exitCode: 0 });
      expect(help).toContain(`Example:\n  tesserae ${example}`);
      const parsed: string[] = [];
      for (const c of command.commands) c.action(() => void parsed.push(c.name()));
      await run(example.split(" ").map((word) => word.replaceAll("'", "")));
      expect(parsed).toEqual([name]);
    },
  );

  it("take flags of several values without the words behind them", () => {
    expect(joinPairs(["train", "--scale", "0.2", "1", "data"])).toEqual(["train", "--scale=0.2,1", "data"]);
    expect(joinPairs(["--model-kwargs", "depth=2", "pos_embed=none", "data"])).toEqual([
      "--model-kwargs=depth=2",
      "--model-kwargs=pos_embed=none",
      "data",
    ]);
    expect(joinPairs(["predict", "--", "--scale", "1", "2"])).toEqual(["predict", "--", "--scale", "1", "2"]);
    expect(pairOf("0.2,1")).toEqual([0.2, 1]);
    expect(() => pairOf("1,2,3")).toThrow("two numbers");
  });

  it("read model options as timm does", () => {
    const options = ["depth=2", "class_token=False", "init_values=None", "global_pool=avg", "img_size=(32, 48)"];
    expect(options.reduce<Record<string, unknown>>((all, text) => keyValue(text, all), {})).toEqual({
      depth: 2,
      class_token: false,
      init_values: null,
      global_pool: "avg",
      img_size: [32, 48],
    });
    expect(() => keyValue("depth")).toThrow("key=value");
  });
});

describe("errors", () => {
  const printed = (error: unknown, debug = false): string => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    report(error, { debug });
    const text = write.mock.calls.map(([chunk]) => chunk).join("");
    write.mockRestore();
    return text;
  };

  it("are one line; those that nobody foresaw say how to see more", () => {
    expect(printed(new TesseraeError("data", "two\nlines", { where: "a", hint: "Look" }))).toBe(
      "error: a: two lines. Look\n",
    );
    const bug = new RangeError("too\n deep");
    expect(printed(bug)).toBe("error: unexpected RangeError: too deep. Set --debug or DEBUG=1 to see where\n");
    expect(printed(bug, true)).toMatch(/^error: RangeError: too deep\n(.*\n)+ +at /);
  });

  it("have their exit codes", () => {
    expect(exitCodeOf(new TesseraeError("usage", ""))).toBe(2);
    expect(exitCodeOf(new TesseraeError("numeric", ""))).toBe(1);
    expect(exitCodeOf(new Error())).toBe(1);
    expect(exitCodeOf(new Exit(130))).toBe(130);
  });
});

describe("tables", () => {
  it("put numbers to the right", () => {
    const [, ...rows] = table(
      ["name", "size"],
      [
        ["a", "1.00 M"],
        ["bcd", "12.00 M"],
      ],
    );
    expect(rows).toEqual(["a      1.00 M", "bcd   12.00 M"]);
  });
});

describe("config files", () => {
  const config = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return readConfig(file, trainCommand());
  };

  it("give defaults of the flags, in YAML or JSON, with - or _", async () => {
    const yaml = [
      "about: |",
      "  What it is.",
      "model: vit_tiny_patch16_224",
      "data: shapes",
      "batch_size: 128",
      "weight-decay: 0.05",
      "clip-grad: off",
      "scale: [0.5, 1]",
      "model-kwargs:",
      "  depth: 6",
      "  global_pool: avg",
      "strict: true",
    ].join("\n");
    const values = {
      model: "vit_tiny_patch16_224",
      data: "shapes",
      batchSize: 128,
      weightDecay: 0.05,
      clipGrad: 0,
      scale: [0.5, 1],
      modelKwargs: { depth: 6, global_pool: "avg" },
      strict: true,
    };
    expect(await config("a.yaml", yaml)).toEqual(values);
    const json = JSON.stringify({ batch_size: 128, scale: [0.5, 1] });
    expect(await config("a.json", json)).toEqual({ batchSize: 128, scale: [0.5, 1] });
  });

  it.each([
    ["epocs: 3", /unknown key epocs.*Did you mean epochs/],
    ["epochs: three", /epochs cannot be "three".*not a number/],
    ["crop: squeeze", /crop cannot be "squeeze".*rrc, pad/],
    ["strict: 3", /strict cannot be 3.*true or false/],
    ["model-kwargs: 3", /model-kwargs cannot be 3/],
    ["lr: [1, {}]", /lr cannot be/],
    ["- epochs", /not a list of flag: value/],
    ["a: b: c", /is not YAML/],
    ["config: other.yaml", /unknown key config/],
  ])("refuse %s", async (text, message) => {
    await expect(config("bad.yaml", text)).rejects.toThrow(message);
  });

  it("lose to flags, which also settle what would contradict them", () => {
    const file = { opt: "sgd", momentum: 0.9, epochs: 3, modelKwargs: { depth: 2, img_size: 32 } };
    expect(mergeFlags({ epochs: 5, opt: "adamw", imgSize: 48, modelKwargs: { num_heads: 4 } }, file)).toEqual({
      opt: "adamw",
      epochs: 5,
      imgSize: 48,
      modelOptions: { depth: 2, num_heads: 4 },
    });
  });
});

describe("mixed precision", () => {
  it("is refused, with the reason of the device", () => {
    expect(() => settle({ amp: true })).toThrow(/--amp would not help on cpu: .* no bfloat16/);
    expect(() => settle({ amp: true, device: "webgpu" })).toThrow(/--amp is not there for webgpu/);
  });
});

describe("the learning rate", () => {
  it("is --lr or --lr-base: flags beat the file, whichever it has", () => {
    expect(mergeFlags({ lr: 1e-3 }, { lrBase: 1e-2 })).toEqual({ lr: 1e-3 });
    expect(mergeFlags({ lrBase: 1e-2 }, { lr: 1e-3 })).toEqual({ lrBase: 1e-2 });
    expect(() => settle({ lr: 1e-3, lrBase: 1e-2 })).toThrow(/exclude each other/);
  });

  it("is scaled to the images of one update", () => {
    const peak = (given: Partial<TrainSettings>, accumulate: number) =>
      peakRate(settle(given), { batch: 64, accumulate });
    expect(peak({}, 1)).toBe(5e-4);
    expect(peak({ lr: 1e-3 }, 4)).toBe(1e-3);
    expect(peak({ lrBase: 1e-3 }, 4)).toBeCloseTo(1e-3, 15);
    expect(peak({ lrBase: 1e-3 }, 1)).toBeCloseTo(5e-4, 15);
    expect(peak({ lrBase: 0.1, opt: "sgd", lrBaseSize: 512 }, 2)).toBeCloseTo(0.025, 15);
  });

  it("takes several milestones", () => {
    expect(joinPairs(["--decay-milestones", "3", "6", "9", "photos"])).toEqual(["--decay-milestones=3,6,9", "photos"]);
  });
});

describe("recipes", () => {
  const recipes = fileURLToPath(new URL("../../recipes", import.meta.url));
  const files = existsSync(recipes) ? readdirSync(recipes).filter((name) => /\.(ya?ml|json)$/.test(name)) : [];

  it.each(files)("%s is a config file of train", async (name) => {
    const flags = mergeFlags({}, await readConfig(join(recipes, name), trainCommand()));
    expect(() => settle(flags)).not.toThrow();
  });
});

describe("flags that make no sense together", () => {
  it.each([
    [{ momentum: 0.9 }, /--momentum is for --opt sgd, momentum, muon or nmuon/],
    [{ opt: "sgd", optBetas: [0.9, 0.99] as const }, /--opt-betas means nothing with --opt sgd/],
    [{ opt: "lion", optEps: 1e-8 }, /--opt-eps means nothing with .*lion/],
    [{ lr: 1e-3, lrBase: 1e-3 }, /--lr and --lr-base exclude each other/],
    [{ lrBaseSize: 512 }, /--lr-base-size needs --lr-base/],
    [{ clipGrad: 0, clipMode: "agc" }, /--clip-mode means nothing with --clip-grad off/],
    [{ decayRate: 0.5 }, /--decay-rate is for --sched step, multistep or poly/],
    [{ sched: "step", cooldownEpochs: 2 }, /--cooldown-epochs means nothing with --sched constant, step/],
    [{ crop: "pad", scale: [0.5, 1] as const }, /--scale is for --crop rrc/],
    [{ warmupEpochs: 0, warmupLr: 1e-6 }, /--warmup-lr means nothing with --warmup-epochs 0/],
    [{ sched: "constant", minLr: 1e-6 }, /--min-lr means nothing with --sched constant/],
    [{ imgSize: 32, modelKwargs: { img_size: 32 } }, /--img-size and --model-kwargs img_size=... say the same/],
  ] as const)("%o", (flags, message) => {
    expect(() => mergeFlags(flags as Parameters<typeof mergeFlags>[0], {})).toThrow(message);
  });
});
