import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasShared, needsShared, readShared, sharedPath } from "../../test/shared.ts";
import { type ModelFixture, type PassFigures, parseFixture } from "./fixture.ts";
import { gradientError } from "./gradient-error.ts";
import { fixtureKey, HEAD_SCATTER } from "./head-scatter.ts";
import { norm } from "./numbers.ts";
import { parityValues } from "./parity.ts";
import { tolerances } from "./verify-model.ts";

type Mode = "eval" | "train";
const LIMIT = { eval: "evalHeads", train: "heads" } as const;

const exact = { logits: 0, loss: 0, gradients: 0, eval_loss: 0, eval_gradients: 0 };
const limit = (model: string, mode: Mode): number =>
  tolerances({ model, options: {}, float32_error: exact }).tolerance[LIMIT[mode]];

/** The reference figures of a pass whose gradients are those given. */
const figuresOf = (gradients: ReadonlyMap<string, Float32Array>): Pick<PassFigures, "gradients"> => ({
  gradients: Object.fromEntries([...gradients].map(([n, g]) => [n, { norm: norm(g), head: [...g.slice(0, 4)] }])),
});

const [ROWS, COLUMNS] = [48, 64];
const gradients = new Map(
  ["a.weight", "b.weight", "c.weight"].map((n) => [n, parityValues(n, [ROWS, COLUMNS], 1).data as Float32Array]),
);
const mistakes: Readonly<Record<string, (g: Float32Array) => Float32Array>> = {
  "of the other sign": (g) => g.map((v) => -v),
  transposed: (g) => g.map((_, i) => g[(i % ROWS) * COLUMNS + Math.floor(i / ROWS)]),
  "with its rows reversed": (g) => g.map((_, i) => g[(ROWS - 1 - Math.floor(i / COLUMNS)) * COLUMNS + (i % COLUMNS)]),
  "shifted by an element": (g) => g.map((_, i) => g[(i + 1) % g.length]),
};

/** Pairs whose tolerance leaves the heads with something to say. */
const telling = Object.keys(HEAD_SCATTER).flatMap((model) =>
  (["eval", "train"] as const).filter((mode) => limit(model, mode) < 1).map((mode) => ({ model, mode })),
);

describe("the tolerance of gradient heads", () => {
  test("is 1e-3 for a network that is not in the table", () => {
    expect(limit("vit_tiny_patch16_224", "train")).toBe(1e-3);
  });

  test("is five times PyTorch's scatter, and says nothing about norms", () => {
    const scatter = HEAD_SCATTER.resnet50.train as number;
    const { tolerance } = tolerances({ model: "resnet50", options: {}, float32_error: exact });
    expect(tolerance).toMatchObject({ heads: 5 * scatter, gradients: 1e-3, logits: 1e-4 });
  });

  test("goes with that of norms where units near zero move those too", () => {
    const norms = HEAD_SCATTER.resnet34.trainNorms as number;
    expect(tolerances({ model: "resnet34", options: {}, float32_error: exact }).tolerance).toMatchObject({
      gradients: 5 * norms,
      evalGradients: 1e-3,
    });
  });

  test("is the fixture's own figure where none was measured", () => {
    const options = { num_classes: 10 };
    const { tolerance } = tolerances({ model: "resnet50", options, float32_error: { ...exact, gradients: 0.01 } });
    expect(tolerance.heads).toBe(0.05);
  });

  test.each(telling)("still catches a misplaced gradient of $model in $mode mode", ({ model, mode }) => {
    for (const [name, mistake] of Object.entries(mistakes)) {
      const wrong = new Map(gradients).set("b.weight", mistake(gradients.get("b.weight") as Float32Array));
      const { norms, heads, worst } = gradientError(wrong, figuresOf(gradients));
      expect(norms, "the norm does not see it").toBeLessThan(1e-6);
      expect(heads, name).toBeGreaterThan(limit(model, mode));
      expect(worst).toBe("b.weight");
    }
  });

  // docs/verification.md says what guards these.
  test("exceeds one root mean square in training mode for these alone", () => {
    const blind = Object.keys(HEAD_SCATTER).flatMap((model) =>
      (["eval", "train"] as const).filter((mode) => limit(model, mode) >= 1).map((mode) => `${model} ${mode}`),
    );
    expect(blind).toEqual(["axial26s train", "convmixer_768_32 train"]);
    expect(limit("axial26s", "eval")).toBe(1e-3);
    expect(limit("convmixer_768_32", "eval")).toBeLessThan(0.05);
  });
});

describe.skipIf(!hasShared)(needsShared("the table of head scatter"), () => {
  const files = hasShared ? readdirSync(sharedPath("fixtures")).filter((f) => f.endsWith(".json")) : [];

  test("names fixtures that exist, by the names of their files", () => {
    const keys = new Map<string, string>();
    for (const file of files) {
      const text = readShared(`fixtures/${file}`);
      if (file === "logits.json") continue;
      const { kind, figures } = parseFixture(text, file) as { kind: string; figures: ModelFixture };
      if (kind === "model") keys.set(fixtureKey(figures), file);
    }
    for (const [key, file] of keys) expect(`${key}.json`).toBe(file);
    for (const key of Object.keys(HEAD_SCATTER)) expect([...keys.keys()]).toContain(key);
  });
});
