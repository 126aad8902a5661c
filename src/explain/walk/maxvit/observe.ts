import type { Model } from "../../../models/model.ts";
import type { Size } from "../../../nn/size.ts";
import { lacks, type Picture } from "../../figure.ts";
import type { Subject } from "../../subject.ts";
import type { Windows } from "../../windows.ts";
import { middleOf } from "../common.ts";
import { atPlace, type Cell, channelOf, liveliest, rowColumn } from "../parts.ts";
import { chosen, given, read, weightOf } from "../read.ts";
import { lookOf, type WindowLook, wantedLook } from "../window-look.ts";

/** Every number of the lecture, of one image and one place of the first stage's map. */
export interface Observation extends Cell {
  readonly dim: number;
  readonly heads: number;
  /** What the stem gave, [C, H, W]. */
  readonly stem: { readonly size: Size; readonly channels: number; readonly values: Float32Array };
  /** The channel of the depthwise convolution that is drawn, its kernel, its map before, [2H, 2W], and after, [H, W]. */
  readonly channel: number;
  readonly kernel: { readonly size: Size; readonly values: Float32Array };
  readonly before: { readonly size: Size; readonly values: Float32Array };
  readonly convolved: Float32Array;
  /** Channels inside MBConv, and what each is multiplied by (squeeze and excite): [4C]. */
  readonly gates: Float32Array;
  /** The channel before and after its gate, [H, W]. */
  readonly ungated: Float32Array;
  readonly gated: Float32Array;
  /** At the place: what the convolutions add, the shortcut, and both: [C]. */
  readonly projected: Float32Array;
  readonly shortcut: Float32Array;
  readonly convOut: Float32Array;
  readonly block: WindowLook;
  readonly grids: WindowLook;
  /** At the place as it leaves block attention and grid attention: [C]. */
  readonly afterBlock: Float32Array;
  readonly afterGrid: Float32Array;
  /** What each stage gave, [C, H, W]. */
  readonly stages: readonly { readonly size: Size; readonly maps: Float32Array }[];
  readonly logits: Float32Array;
}

const FIRST = "stages.0.blocks.0";

/** Windows of the first stage, as the stage table has them. */
function windowsOf(model: Model, map: Size, kind: "window" | "grid"): Windows {
  const window = String(model.stage?.(0)[kind] ?? "")
    .split("x")
    .map(Number);
  if (window.length !== 2 || window.some((s) => !(s > 0))) throw lacks(model, `no ${kind} attention`);
  return { map, window: [window[0], window[1]], kind, shift: [0, 0] };
}

export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  const what = "MBConv with attention in blocks and grids, with relative positions";
  const stages = model.featureInfo.map((f) => f.module).filter((path) => path !== "stem");
  const seen = await read(
    subject,
    picture,
    (of) => {
      const { outputs } = of;
      const excited = outputs.get(`${FIRST}.conv.se`);
      return {
        stem: outputs.get("stem"),
        before: given(outputs.get(`${FIRST}.conv.conv2_kxk`), 0),
        convolved: outputs.get(`${FIRST}.conv.conv2_kxk`),
        // Squeeze and excite is one product: of the maps, and of a number for each.
        ungated: given(excited, 0),
        gates: given(excited, 1),
        gated: excited,
        projected: outputs.get(`${FIRST}.conv.conv3_1x1`),
        shortcut: outputs.get(`${FIRST}.conv.shortcut`),
        conv: outputs.get(`${FIRST}.conv`),
        afterBlock: outputs.get(`${FIRST}.attn_block`),
        afterGrid: outputs.get(`${FIRST}.attn_grid`),
        ...wantedLook(of, "block", `${FIRST}.attn_block.attn`),
        ...wantedLook(of, "grid", `${FIRST}.attn_grid.attn`),
        ...Object.fromEntries(stages.map((path) => [path, outputs.get(path)])),
      };
    },
    what,
  );
  const kernels = weightOf(subject, `${FIRST}.conv.conv2_kxk.weight`);
  if (!kernels) throw lacks(model, `no ${what}`);
  const sizeOf = (name: string): Size => [seen.shape(name)[2], seen.shape(name)[3]];
  const grid = sizeOf("conv");
  const at = { grid, patch: chosen(model, grid[0] * grid[1], patch ?? middleOf(grid)) };
  const place = rowColumn(at);
  const channel = liveliest(seen.values("convolved"), grid);
  const map = (name: string) => channelOf(seen.values(name), channel, sizeOf(name));
  const dim = seen.shape("conv")[1];
  const column = (name: string) => atPlace(seen.values(name), at);
  const row = (name: string) => seen.values(name).subarray(at.patch * dim, (at.patch + 1) * dim);
  const [, , h, w] = kernels.shape;
  return {
    ...at,
    dim,
    heads: seen.shape("block probs")[1],
    stem: { size: sizeOf("stem"), channels: seen.shape("stem")[1], values: seen.values("stem") },
    channel,
    kernel: { size: [h, w], values: kernels.values.subarray(channel * h * w, (channel + 1) * h * w) },
    before: { size: sizeOf("before"), values: map("before") },
    convolved: map("convolved"),
    gates: seen.values("gates"),
    ungated: map("ungated"),
    gated: map("gated"),
    projected: column("projected"),
    shortcut: column("shortcut"),
    convOut: column("conv"),
    block: lookOf(seen, "block", windowsOf(model, grid, "window"), place),
    grids: lookOf(seen, "grid", windowsOf(model, grid, "grid"), place),
    afterBlock: row("afterBlock"),
    afterGrid: row("afterGrid"),
    stages: stages.map((path) => ({ size: sizeOf(path), maps: seen.values(path) })),
    logits: seen.values("logits"),
  };
}
