import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Picture } from "../src/explain/figure.ts";
import type { Subject } from "../src/explain/subject.ts";
import { scoresOf, softmax, weightedSum } from "../src/explain/walk/parts.ts";
import { observe } from "../src/explain/walk/vit/observe.ts";
import { WORDS } from "../src/explain/walk/words.ts";
import { createModel } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { writeLecture } from "../src/node/walk.ts";
import type { Backend } from "../src/runtime/backend.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(() => backend.dispose());

async function subject(): Promise<{ of: Subject; picture: Picture }> {
  const model = createModel("vit_tiny_patch16_224", {
    img_size: 48,
    embed_dim: 24,
    depth: 3,
    num_heads: 2,
    num_classes: 3,
  });
  const weights = initialize(model, 3);
  const input = Float32Array.from({ length: 3 * 48 * 48 }, (_, i) => Math.sin(i));
  const picture = {
    name: "a.png",
    pixels: { width: 48, height: 48, data: new Uint8Array(3 * 48 * 48) },
    input,
    target: 0,
  };
  return {
    of: { model, weights, classes: ["a", "b", "c"], backend, state: await backend.createState(weights) },
    picture,
  };
}

describe("the lecture's numbers", () => {
  it("are those of the model: softmax of q · k / √d is the attention, and patch + position the token", async () => {
    const { of, picture } = await subject();
    const o = await observe(of, picture, 5);
    expect([o.grid, o.prefix, o.heads, o.dim]).toEqual([[3, 3], 1, 2, 24]);
    const shares = softmax(scoresOf(o).map((s) => s / Math.sqrt(12)));
    shares.forEach((share, key) => {
      expect(share).toBeCloseTo(o.attention[0][(0 * 10 + 6) * 10 + key], 6);
    });
    for (let i = 0; i < 24; i++) expect(o.projected[i] + o.positions[5 * 24 + i]).toBeCloseTo(o.tokens[6 * 24 + i], 6);
    // A residual stream: what leaves the block is what entered, plus attention, plus MLP.
    for (let i = 0; i < 24; i++)
      expect(o.layers[0][i]).toBeCloseTo(o.tokens[6 * 24 + i] + o.attended[i] + o.mixed[i], 5);
    expect(weightedSum(shares, o.v)).toHaveLength(12);
  });

  it("follow the patch that the class token asks most, where none is named", async () => {
    const { of, picture } = await subject();
    const o = await observe(of, picture);
    const asked = Array.from({ length: 9 }, (_, i) => o.attention[2][1 + i] + o.attention[2][100 + 1 + i]);
    expect(o.patch).toBe(asked.indexOf(Math.max(...asked)));
  });
});

describe("the page", () => {
  it("of a name has fresh weights, says so, and follows nine patches of a drawn image", async () => {
    const page = await writeLecture("vit_tiny_patch16_224", undefined, backend, { language: "ja" });
    expect(page).toContain('<html lang="ja">');
    expect(page).toContain(WORDS.ja.fresh);
    expect(page).toContain("16 · 16 · 3 = 768");
    expect(page.match(/data-i="/g)).toHaveLength(9);
  });

  it("is refused for a family without a lecture, by naming those that have one, and for a patch that is not there", async () => {
    const refused = writeLecture("vgg11", undefined, backend);
    await expect(refused).rejects.toMatchObject({
      code: "model",
      hint: expect.stringMatching(/lectures of ViT and DeiT/),
    });
    await expect(writeLecture("vit_tiny_patch16_224", undefined, backend, { patch: 9 })).rejects.toThrow(/no patch 9/);
  });
});
