import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { observe as observeConvmixer } from "../src/explain/walk/convmixer/observe.ts";
import { LECTURES, walk } from "../src/explain/walk/index.ts";
import { observe as observeMaxvit } from "../src/explain/walk/maxvit/observe.ts";
import { observe as observeMixer } from "../src/explain/walk/mixer/observe.ts";
import { liveliest, scaledScores, softmax } from "../src/explain/walk/parts.ts";
import { observe as observePvt } from "../src/explain/walk/pvt/observe.ts";
import { observe as observeResnet } from "../src/explain/walk/resnet/observe.ts";
import { observe as observeSwin } from "../src/explain/walk/swin/observe.ts";
import { sharesOnMap } from "../src/explain/walk/window-look.ts";
import { LANGUAGES } from "../src/explain/walk/words.ts";
import { familyOf } from "../src/models/index.ts";
import { drawingSvg, pictureAddress } from "../src/node/explain.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { erf } from "../src/ops/special.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { MAXVIT, OBLONG, PVT, SMALL } from "./lecture-models.ts";
import { batchNormed, dense, type Example, exampleOf, layerNormed, weight } from "./lecture-subject.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(() => backend.dispose());

const close = (a: ArrayLike<number>, b: ArrayLike<number>, digits = 4): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], digits);
};

const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

const small = (name: string): Promise<Example> => exampleOf(backend, name, SMALL[name].options);
const drawn = { toSvg: drawingSvg, toAddress: pictureAddress };

describe("a page of every lecture", () => {
  it("has a small model here", () => {
    const tested = Object.keys(SMALL).map(familyOf);
    for (const { name, families } of LECTURES)
      expect(
        tested.some((f) => f && families.includes(f)),
        name,
      ).toBe(true);
  });

  for (const [name, { steps }] of Object.entries(SMALL))
    it(`tells ${name} step by step in every language, and fetches nothing`, async () => {
      const { of, picture } = await small(name);
      for (const language of LANGUAGES) {
        const page = await walk(of, picture, { language, ...drawn });
        const sections = [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id);
        expect(sections).toEqual(steps.split(" "));
        const text = page.replaceAll("http://www.w3.org/", "").replace(/base64,[^"]+/g, "");
        expect(/(src|href)="(?!data:|#)|https?:/.exec(text)).toBeNull();
        expect(/.{0,40}(NaN|undefined|Infinity)/.exec(text)?.[0]).toBeUndefined();
      }
    });

  it.each(Object.keys(SMALL))(
    "tells %s of one channel, of images that are not square, without a classifier",
    async (name) => {
      const options = { ...SMALL[name].options, ...OBLONG[name], in_chans: 1, num_classes: 0 };
      const { of, picture } = await exampleOf(backend, name, options);
      const page = await walk(of, picture, drawn);
      expect(page).toContain('<section id="noLogits"');
      expect(/.{0,40}(NaN|undefined|Infinity)/.exec(page.replace(/base64,[^"]+/g, ""))?.[0]).toBeUndefined();
    },
  );

  for (const name of Object.keys(SMALL))
    it(`refuses a patch that ${name} has not`, async () => {
      const { of, picture } = await small(name);
      await expect(walk(of, picture, { patch: 1000, ...drawn })).rejects.toThrow(/there is no patch 1000/);
    });
});

describe("the numbers of ConvMixer's lecture", () => {
  it("are a kernel on a channel, its residual, and a matrix over channels, each with σ and norm", async () => {
    const example = await small("convmixer");
    const o = await observeConvmixer(example.of, example.picture, 9);
    expect([o.grid, o.dim, o.depth, o.kernelSize]).toEqual([[8, 8], 12, 3, 5]);
    // The patch embedding of patch 9, which is in row 1 and column 1.
    const x = Array.from({ length: 12 }, (_, i) => {
      const [c, y, z] = [Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2];
      return example.picture.input[c * 256 + (2 + y) * 16 + 2 + z];
    });
    close(o.projected, dense(example, "stem.0", x));
    close(
      o.embedded,
      [...o.projected].map((v, c) => batchNormed(example, "stem.2", c, gelu(v))),
    );
    // The depthwise sum, with zeros outside the map: row 1 and column 1 of a kernel of 5 reach row -1.
    const sums = [...o.before].map((_, place) => {
      let sum = o.bias;
      for (let i = 0; i < 25; i++) {
        const [y, z] = [Math.floor(place / 8) + Math.floor(i / 5) - 2, (place % 8) + (i % 5) - 2];
        if (y >= 0 && z >= 0 && y < 8 && z < 8) sum += o.kernel[i] * o.before[y * 8 + z];
      }
      return sum;
    });
    close(o.convolved, sums);
    expect([...o.window].reduce((sum, v, i) => sum + v * o.kernel[i], o.bias)).toBeCloseTo(o.convolved[9], 5);
    expect(o.window[0]).toBe(0);
    close(
      o.normed,
      [...o.convolved].map((v) => batchNormed(example, "blocks.0.0.fn.2", o.channel, gelu(v))),
    );
    close(
      o.added,
      [...o.before].map((v, i) => v + o.normed[i]),
    );
    expect(o.column[o.channel]).toBeCloseTo(o.added[9], 6);
    close(o.mixed, dense(example, "blocks.0.1", o.column));
    close(
      o.out,
      [...o.mixed].map((v, c) => batchNormed(example, "blocks.0.3", c, gelu(v))),
    );
    close(o.layers[0].vector, o.out, 6);
    expect(o.layers[2].alike[9]).toBeCloseTo(1, 5);
  });

  it("are of the channel that differs most from place to place, and of its kernel", async () => {
    const example = await small("convmixer");
    const o = await observeConvmixer(example.of, example.picture);
    expect(liveliest(Float32Array.of(9, 9, 9, 9, 0, 3, 0, 3, 5, 6, 5, 5), [2, 2])).toBe(1);
    const kernels = weight(example, "blocks.0.0.fn.0.weight");
    expect([...o.kernel]).toEqual([...kernels.slice(o.channel * 25, o.channel * 25 + 25)]);
    expect(o.patch).toBe(4 * 8 + 4);
  });
});

describe("the numbers of MLP-Mixer's lecture", () => {
  it("are an MLP over the patches of a channel, and one over the channels of a patch", async () => {
    const example = await small("mixer_s16_224");
    const o = await observeMixer(example.of, example.picture, 5);
    expect([o.grid, o.dim, o.depth]).toEqual([[3, 3], 16, 3]);
    const rows = Array.from({ length: 9 }, (_, p) => o.table.subarray(p * 16, (p + 1) * 16));
    const normed = rows.map((row) => layerNormed(example, "blocks.0.norm1", row, 1e-6));
    close(
      o.before,
      normed.map((row) => row[o.channel]),
    );
    close(o.hidden, dense(example, "blocks.0.mlp_tokens.fc1", o.before).map(gelu));
    close(o.mixed, dense(example, "blocks.0.mlp_tokens.fc2", o.hidden));
    expect(o.fromTokens[o.channel]).toBeCloseTo(o.mixed[5], 6);
    const u = [...o.row].map((v, c) => v + o.fromTokens[c]);
    close(o.normed, layerNormed(example, "blocks.0.norm2", u, 1e-6));
    close(o.hiddenChannels, dense(example, "blocks.0.mlp_channels.fc1", o.normed).map(gelu));
    close(o.fromChannels, dense(example, "blocks.0.mlp_channels.fc2", o.hiddenChannels));
    close(
      o.out,
      u.map((v, c) => v + o.fromChannels[c]),
    );
    close(o.layers[0].vector, o.out, 6);
    expect(o.layers[1].alike[5]).toBeCloseTo(1, 5);
  });
});

describe("the numbers of Swin's lecture", () => {
  const bias = (example: Example, block: number, query: readonly number[], key: readonly number[]): number => {
    const table = weight(example, `layers.0.blocks.${block}.attn.relative_position_bias_table`);
    // Swin's own index (its code): offset of query from key, 2 heads a row.
    return table[((query[0] - key[0] + 3) * 7 + (query[1] - key[1] + 3)) * 2];
  };

  it("are scores, the bias cell of the offset, and their softmax within the window", async () => {
    const example = await small("swin_tiny_patch4_window7_224");
    // Row 5 and column 10 of 16: in the window of rows 4..7 and columns 8..11, at (1, 2).
    const o = await observeSwin(example.of, example.picture, 5 * 16 + 10);
    expect([o.grid, o.heads, o.plain.at]).toEqual([[16, 16], 2, { window: 6, token: 6 }]);
    const key = [Math.floor(o.plain.key / 4), o.plain.key % 4];
    expect(o.plain.offset).toEqual([key[0] - 1, key[1] - 2]);
    expect(o.plain.bias[o.plain.key]).toBeCloseTo(bias(example, 0, [1, 2], key), 6);
    expect(o.plain.table[(o.plain.offset[0] + 3) * 7 + o.plain.offset[1] + 3]).toBeCloseTo(
      o.plain.bias[o.plain.key],
      6,
    );
    close(
      o.plain.shares,
      softmax([...o.plain.scores].map((s, i) => s + bias(example, 0, [1, 2], [Math.floor(i / 4), i % 4]))),
    );
    // The scores are those of the normalised patch's query with its neighbours' keys: here its own.
    const x = layerNormed(example, "layers.0.blocks.0.norm1", o.entered, 1e-5);
    const qkv = dense(example, "layers.0.blocks.0.attn.qkv", x);
    const score = [0, 1, 2, 3].reduce((sum, c) => sum + qkv[c] * qkv[8 + c], 0) / 2;
    expect(o.plain.scores[6]).toBeCloseTo(score, 5);
    const others = o.plain.shares.filter((_, i) => i !== 6);
    expect(o.plain.shares[o.plain.key]).toBe(Math.max(...others));
  });

  it("are masked where the shift brought opposite borders together", async () => {
    const example = await small("swin_tiny_patch4_window7_224");
    // The last patch: rolled by 2 it lies at 13, in the last window, with rows 14, 15, 0 and 1.
    const o = await observeSwin(example.of, example.picture, 255);
    const look = o.shifted as NonNullable<typeof o.shifted>;
    expect([look.windows.shift, look.at]).toEqual([[2, 2], { window: 15, token: 5 }]);
    const near = [0, 1, 4, 5];
    expect([...(look.mask as Float32Array)]).toEqual(
      Array.from({ length: 16 }, (_, i) => (near.includes(i) ? 0 : -100)),
    );
    // e^-100 would be 4e-44; the pass masked-softmax keeps such shares at 1e-20, where products are not slow.
    look.shares.forEach((share, i) => {
      if (!near.includes(i)) expect(share).toBeLessThan(1.1e-20);
    });
    expect(near.reduce((sum, i) => sum + look.shares[i], 0)).toBeCloseTo(1, 5);
    expect([...(o.mask as Float32Array).slice(5 * 16, 6 * 16)]).toEqual([...(look.mask as Float32Array)]);
  });

  it("are a residual stream, and four neighbours joined to one of twice the channels", async () => {
    const example = await small("swin_tiny_patch4_window7_224");
    const o = await observeSwin(example.of, example.picture, 5 * 16 + 10);
    close(
      o.out,
      [...o.entered].map((v, i) => v + o.attended[i] + o.mixed[i]),
    );
    const { values } = o.stages[0];
    // timm's order: down, then to the right.
    const four = [
      [4, 10],
      [5, 10],
      [4, 11],
      [5, 11],
    ].flatMap(([y, x]) => [...values.slice((y * 16 + x) * 8, (y * 16 + x + 1) * 8)]);
    close(o.neighbours as Float32Array, layerNormed(example, "layers.1.downsample.norm", four, 1e-5));
    close(o.merged as Float32Array, dense(example, "layers.1.downsample.reduction", o.neighbours as Float32Array));
    expect(o.stages.map((s) => [s.size, s.channels])).toEqual([
      [[16, 16], 8],
      [[8, 8], 16],
    ]);
  });

  it("of V2 are cosines, a bias made by a network, and norms behind attention and MLP", async () => {
    const example = await small("swinv2_tiny_window8_256");
    const o = await observeSwin(example.of, example.picture, 5 * 16 + 10);
    // The cosine of the patch's own query and key, times the learned scale of the head.
    const scale = Math.exp(weight(example, "layers.0.blocks.0.attn.logit_scale")[0]);
    const q = dense(example, "layers.0.blocks.0.attn.qkv", o.entered).map((v, i) =>
      i < 8 ? v + weight(example, "layers.0.blocks.0.attn.q_bias")[i] : v,
    );
    const [a, b] = [q.slice(0, 4), q.slice(8, 12)];
    const cosine = a.reduce((sum, v, i) => sum + v * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
    expect(o.plain.scores[6]).toBeCloseTo(scale * cosine, 4);
    close(o.plain.shares, softmax([...o.plain.scores].map((s, i) => s + o.plain.bias[i])));
    close(
      o.out,
      [...o.entered].map((v, i) => v + o.attended[i] + o.mixed[i]),
    );
  });
});

/** Σ of a kernel over maps [C, H, W] at a place, zeros outside. */
function convolved(
  maps: Float32Array,
  [h, w]: readonly [number, number],
  kernel: ArrayLike<number>,
  { side, row, column }: { side: number; row: number; column: number },
): number {
  let sum = 0;
  for (let i = 0; i < kernel.length; i++) {
    const [c, y, x] = [Math.floor(i / side ** 2), row + (Math.floor(i / side) % side), column + (i % side)];
    if (y >= 0 && x >= 0 && y < h && x < w) sum += kernel[i] * maps[(c * h + y) * w + x];
  }
  return sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe("the numbers of MaxViT's lecture", () => {
  const first = "stages.0.blocks.0";

  it("are a depthwise kernel with stride 2, a gate made of means, and a shortcut", async () => {
    const example = await small("maxvit_pico_rw_256");
    const o = await observeMaxvit(example.of, example.picture, 3 * 16 + 5);
    expect([o.grid, o.before.size, o.kernel.size, o.gates.length]).toEqual([[16, 16], [32, 32], [3, 3], 32]);
    const place = { side: 3, row: 3 * 2 - 1, column: 5 * 2 - 1 };
    expect(o.convolved[o.patch]).toBeCloseTo(convolved(o.before.values, [32, 32], o.kernel.values, place), 4);
    const silu = (v: number) => v * sigmoid(v);
    close(
      o.ungated,
      [...o.convolved].map((v) => silu(batchNormed(example, `${first}.conv.norm2`, o.channel, v))),
    );
    close(
      o.gated,
      [...o.ungated].map((v) => v * o.gates[o.channel]),
    );
    expect(Math.min(...o.gates)).toBeGreaterThan(0);
    expect(Math.max(...o.gates)).toBeLessThan(1);
    close(
      o.convOut,
      [...o.projected].map((v, i) => v + o.shortcut[i]),
    );
  });

  it("are shares of a block of neighbours and of a grid over all of the map, with the bias of their offset", async () => {
    const example = await small("maxvit_pico_rw_256");
    const o = await observeMaxvit(example.of, example.picture, 3 * 16 + 5);
    // (3, 5) lies at (3, 1) of block (0, 1); with four steps between neighbours of a grid, at (0, 1) of grid (3, 1).
    expect(o.block.at).toEqual({ window: 1, token: 13 });
    expect(o.grids.at).toEqual({ window: 13, token: 1 });
    const seen = (look: typeof o.block) =>
      [...sharesOnMap(look)].flatMap((v, i) => (v > 0 ? [`${Math.floor(i / 16)},${i % 16}`] : []));
    const axis = (from: number, step: number) => [0, 1, 2, 3].map((i) => from + step * i);
    const cross = (ys: number[], xs: number[]) => ys.flatMap((y) => xs.map((x) => `${y},${x}`));
    expect(seen(o.block)).toEqual(cross(axis(0, 1), axis(4, 1)));
    expect(seen(o.grids)).toEqual(cross(axis(3, 4), axis(1, 4)));
    for (const [look, kind] of [
      [o.block, "block"],
      [o.grids, "grid"],
    ] as const) {
      const table = weight(example, `${first}.attn_${kind}.attn.rel_pos.relative_position_bias_table`);
      const [qy, qx] = [Math.floor(look.at.token / 4), look.at.token % 4];
      const biases = Array.from(
        { length: 16 },
        (_, k) => table[((qy - Math.floor(k / 4) + 3) * 7 + qx - (k % 4) + 3) * 2],
      );
      close(look.bias, biases, 6);
      close(look.shares, softmax([...look.scores].map((s, k) => s + biases[k])));
    }
  });

  it("are not there for a model without its parts, which is said", async () => {
    const { of, picture } = await exampleOf(backend, "maxvit_pico_rw_256", { ...MAXVIT, grid_attn: false });
    await expect(walk(of, picture, drawn)).rejects.toThrow(/no MBConv with attention in blocks and grids/);
  });
});

describe("the numbers of PVT's lecture", () => {
  it("are a convolution that makes one key of 4 x 4 places, and the softmax over such keys", async () => {
    const example = await small("pvt_tiny");
    const o = await observePvt(example.of, example.picture, 5 * 16 + 7);
    expect([o.grid, o.reduced, o.heads, o.kernel, o.stride]).toEqual([[16, 16], [4, 4], 2, 4, 4]);
    expect(o.stages.map((s) => [s.size, s.keys])).toEqual([
      [[16, 16], 16],
      [[8, 8], 16],
      [[4, 4], 16],
      [[2, 2], 5], // with the class token
    ]);
    // Places 16: row 1 and column 2 of the reduced map, all channels, then their norm.
    const kernels = weight(example, "block1.0.attn.sr.weight");
    const bias = weight(example, "block1.0.attn.sr.bias");
    const place = { side: 4, row: 4, column: 8 };
    const reduced = [...bias].map(
      (b, c) => b + convolved(o.before, [16, 16], kernels.slice(c * 128, (c + 1) * 128), place),
    );
    const key = layerNormed(example, "block1.0.attn.norm", reduced, 1e-5);
    close(
      key,
      key.map((_, c) => o.after[c * 16 + 6]),
    );
    const kv = dense(example, "block1.0.attn.kv", key);
    close(o.k.slice(6 * 4, 7 * 4), kv.slice(0, 4));
    close(o.v.slice(6 * 4, 7 * 4), kv.slice(8, 12));
    const query = dense(example, "block1.0.attn.q", layerNormed(example, "block1.0.norm1", o.entered, 1e-6));
    close(o.q, query.slice(0, 4));
    close(o.shares, softmax(scaledScores(o)));
    close(
      o.out,
      [...o.entered].map((v, i) => v + o.attended[i] + o.mixed[i]),
    );
  });

  it("of v2 are the same on overlapping patches, also where the map is pooled", async () => {
    for (const linear of [false, true]) {
      const example = await exampleOf(backend, "pvt_v2_b0", { ...PVT, linear });
      const o = await observePvt(example.of, example.picture, 5 * 16 + 7);
      expect([o.kernel, o.stride, o.reduced]).toEqual([7, 4, linear ? [7, 7] : [4, 4]]);
      close(o.shares, softmax(scaledScores(o)));
      close(
        o.out,
        [...o.entered].map((v, i) => v + o.attended[i] + o.mixed[i]),
      );
    }
  });
});

describe("the numbers of ResNet's lecture", () => {
  it("are a filter over the image, F(x) + x by relu, and the mean that the head reads", async () => {
    const example = await small("resnet18");
    const o = await observeResnet(example.of, example.picture, 6 * 16 + 9);
    expect([o.grid, o.filterShape, o.response.size]).toEqual([
      [16, 16],
      [3, 7, 7],
      [32, 32],
    ]);
    const place = { side: 7, row: 6 * 2 - 3, column: 9 * 2 - 3 };
    expect(o.response.values[6 * 32 + 9]).toBeCloseTo(convolved(example.picture.input, [64, 64], o.filter, place), 4);
    close(
      o.after,
      [...o.residual].map((v, i) => Math.max(0, v + o.shortcut[i])),
    );
    const last = o.stages[3];
    expect(last.size).toEqual([2, 2]);
    close(
      o.pooled,
      Array.from({ length: 8 }, (_, c) => last.maps.slice(4 * c, 4 * c + 4).reduce((a, b) => a + b, 0) / 4),
    );
    close(o.logits, dense(example, "fc", o.pooled));
  });

  it("are there for bottlenecks and deep stems too", async () => {
    const options = { ...SMALL.resnet18.options, block: "bottleneck", stem_type: "deep", stem_width: 4 };
    const example = await exampleOf(backend, "resnet18", options);
    const o = await observeResnet(example.of, example.picture);
    expect(o.filterShape).toEqual([3, 3, 3]);
    close(
      o.after,
      [...o.residual].map((v, i) => Math.max(0, v + o.shortcut[i])),
    );
  });
});
