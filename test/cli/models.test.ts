import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { scratch, tesserae } from "./cli.ts";

scratch();

describe("models", () => {
  it("are listed with their activations, and sorted by them", async () => {
    const { code, stdout } = await tesserae(["models", "mobilenetv3_small_???", "--json", "--sort", "activations"]);
    expect(code).toBe(0);
    const rows: { name: string; activations: number }[] = JSON.parse(stdout);
    expect(rows.map((r) => r.name)).toEqual(["050", "075", "100"].map((w) => `mobilenetv3_small_${w}`));
    expect(rows[2].activations).toBeCloseTo(1.42, 2);
    expect((await tesserae(["models", "mobilenetv3_small_100"])).stdout).toMatch(
      / 2\.54 M +0\.06 +1\.42 M +224 +Howard/,
    );
  });

  it("are tabled in docs/models.md, each once, as the library counts them", () => {
    const cwd = fileURLToPath(new URL("../../", import.meta.url));
    execFileSync(process.execPath, ["scripts/model-tables.mjs", "--check"], { cwd, stdio: "pipe" });
  });

  it.each(["[ab", "", "*(", "\\", "vit_tiny_patch16_224$", "resnet18 resnet34"])(
    "none of a glob %j is one line that says so",
    async (glob) => {
      const { code, stdout, stderr } = await tesserae(["models", glob]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr.trimEnd()).toMatch(/^error: no model is called ".*"\. [^\n]+$/);
    },
  );
});

describe("info", () => {
  it("prints a table of the stages, with the columns that the family has", async () => {
    const { code, stdout } = await tesserae(["info", "swin_tiny_patch4_window7_224"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^stage +output +stride +channels +kernel +depth +heads +window +parameters +GMACs$/m);
    expect(stdout).toMatch(/^layers\.2 +384 x 14 x 14 +16 +384 +6 +12 +7x7 +10\.96 M +2\.183$/m);
    expect((await tesserae(["info", "resnet18"])).stdout).not.toMatch(/heads|window/);
  });

  it("gives the same as JSON", async () => {
    const { stages } = JSON.parse((await tesserae(["info", "pvt_v2_b1", "--json"])).stdout);
    expect(stages[2]).toEqual({
      stage: "stages.1",
      output: [128, 28, 28],
      stride: 8,
      channels: 128,
      kernel: [3],
      depth: 2,
      heads: 2,
      reduction: 4,
      expansion: 8,
      parameters: 1279616,
      gmacs: expect.closeTo(0.583, 3),
    });
  });

  it.each([
    ["swin_tiny", /unknown model "swin_tiny"\. Did you mean/],
    ["", /unknown model ""/],
    ["constructor", /unknown model "constructor"/],
    ["./nowhere/run", /nowhere\/run: no such file or folder/],
  ])("of %j is one line", async (name, message) => {
    const { code, stdout, stderr } = await tesserae(["info", name]);
    expect(stdout).toBe("");
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd()).toMatch(/^error: [^\n]+$/);
    expect(code).not.toBe(0);
  });
});
