import { describe, expect, it } from "vitest";
import { resampleGrid, resamplePositionTable } from "./resample.ts";

type Size = [number, number];

/** [(prefix + h·w)·dim] values in [-0.5, 0.5). */
const table = ([h, w]: Size, dim: number, prefixTokens: number) =>
  Float32Array.from({ length: (prefixTokens + h * w) * dim }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5);

// Made by this, with timm 1.0.31 and torch 2.15.0 (`total` in float64, by F.interpolate itself):
//   i = torch.arange(n * dim, dtype=torch.float64); t = ((i * 7919) % 1009 / 1009 - 0.5).float().reshape(1, n, dim)
//   y = timm.layers.resample_abs_pos_embed(t, to, from, num_prefix_tokens=p).flatten().tolist(); y[:6], y[-6:]
//   F.interpolate(t[:, p:].double().reshape(1, *from, dim).permute(0, 3, 1, 2), size=to, mode="bicubic",
//                 antialias=True, align_corners=False).abs().sum()
const cases: { from: Size; to: Size; dim: number; p: number; first: number[]; last: number[]; total: number }[] = [
  {
    from: [3, 2],
    to: [5, 4],
    dim: 2,
    p: 1,
    first: [-0.5, 0.3483647, 0.2759245, 0.0421583, 0.1640524, -0.0474212],
    last: [-0.0651116, -0.2765851, -0.2869463, -0.454215, -0.3988185, -0.5437945],
    total: 7.705208349141397,
  },
  {
    from: [7, 9],
    to: [4, 3],
    dim: 3,
    p: 2,
    first: [-0.5, 0.3483647, 0.1967294, 0.0450942, -0.1065411, -0.2581764],
    last: [-0.0058154, -0.1622724, 0.0821804, 0.1625664, 0.007993, -0.1151479],
    total: 3.0663467085804625,
  },
  {
    from: [4, 6],
    to: [6, 4],
    dim: 1,
    p: 0,
    first: [-0.2049482, 0.2732014, -0.0049598, -0.220435, -0.1387487, 0.3381612],
    last: [0.2781821, 0.0189269, -0.3157204, 0.1835045, 0.3188197, 0.0619968],
    total: 4.520783875323329,
  },
  {
    from: [14, 14],
    to: [24, 24],
    dim: 8,
    p: 1,
    first: [-0.5, 0.3483647, 0.1967294, 0.0450942, -0.1065411, -0.2581764],
    last: [0.4950923, 0.2657157, 0.1140805, -0.0375548, -0.1891901, -0.3408253],
    total: 1041.7186078142304,
  },
  {
    from: [14, 14],
    to: [7, 10],
    dim: 8,
    p: 0,
    first: [-0.2505448, 0.3071474, 0.1555121, 0.0038768, -0.198131, -0.3536236],
    last: [-0.313094, 0.2445986, 0.0886339, 0.2862303, 0.0803649, -0.0712704],
    total: 107.96359524779487,
  },
];

describe("resampling a position table", () => {
  it.each(cases)("equals timm's from $from to $to", ({ from, to, dim, p, first, last, total }) => {
    const y = resamplePositionTable(table(from, dim, p), { from, to, dim, prefixTokens: p });
    expect(y.length).toBe((p + to[0] * to[1]) * dim);
    for (const [i, value] of first.entries()) expect(y[i]).toBeCloseTo(value, 6);
    for (const [i, value] of last.entries()) expect(y[y.length - 6 + i]).toBeCloseTo(value, 6);
    const sum = y.subarray(p * dim).reduce((s, v) => s + Math.abs(v), 0);
    expect(Math.abs(sum / total - 1)).toBeLessThan(1e-6);
  });

  it("keeps the prefix tokens and copies the table where the grid stays", () => {
    const x = table([4, 4], 3, 2);
    const same = resamplePositionTable(x, { from: [4, 4], to: [4, 4], dim: 3, prefixTokens: 2 });
    expect(same).toEqual(x);
    expect(same.buffer).not.toBe(x.buffer);
    const larger = resamplePositionTable(x, { from: [4, 4], to: [5, 5], dim: 3, prefixTokens: 2 });
    expect(larger.subarray(0, 6)).toEqual(x.subarray(0, 6));
  });

  it("keeps a constant and is exact at the same size", () => {
    const flat = resampleGrid(new Float32Array(35).fill(0.7), { from: [5, 7], to: [3, 11], channels: 1 });
    for (const value of flat) expect(value).toBeCloseTo(0.7, 6);
    const x = table([5, 7], 1, 0);
    expect(resampleGrid(x, { from: [5, 7], to: [5, 7], channels: 1 })).toEqual(x);
  });

  it("refuses a table that does not fit its grid", () => {
    const resample = (from: Size, to: Size) => () =>
      resamplePositionTable(new Float32Array(10), { from, to, dim: 2, prefixTokens: 1 });
    expect(resample([2, 3], [4, 4])).toThrow("is not 1 + 2 x 3 tokens of 2");
    expect(resample([2, 2], [0, 4])).toThrow("cannot resize");
    expect(resample([2, 2], [1.5, 4])).toThrow("cannot resize");
  });
});
