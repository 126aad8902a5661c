import type { Size } from "../../../nn/size.ts";
import { lacks, type Picture } from "../../figure.ts";
import type { Subject } from "../../subject.ts";
import { middleOf } from "../common.ts";
import { type Cell, channelOf, liveliest } from "../parts.ts";
import { chosen, read, weightOf } from "../read.ts";

/** A map [H, W] of one channel. */
export interface ChannelMap {
  readonly size: Size;
  readonly values: Float32Array;
}

/** Every number of the lecture, of one image and one place of the first stage's map. */
export interface Observation extends Cell {
  /** The filter that is drawn, [C, k, k], and its number. */
  readonly filter: Float32Array;
  readonly filterShape: readonly number[];
  readonly channel: number;
  readonly filters: number;
  /** What it gives. */
  readonly response: ChannelMap;
  /** The channel of the first block that its F changes most: F(x), the shortcut, and relu of their sum. */
  readonly blockChannel: number;
  readonly blockChannels: number;
  readonly residual: Float32Array;
  readonly shortcut: Float32Array;
  readonly after: Float32Array;
  /** What each stage gave, [C, H, W]. */
  readonly stages: readonly { readonly size: Size; readonly maps: Float32Array }[];
  /** Mean of each channel over the last map. */
  readonly pooled: Float32Array;
  readonly logits: Float32Array;
}

const FIRST = "layer1.0";

export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  const what = "stem and residual blocks";
  const stem = weightOf(subject, "conv1.weight") ? "conv1" : "conv1.0";
  const filters = weightOf(subject, `${stem}.weight`);
  if (!filters) throw lacks(model, `no ${what}`);
  const layers = model.options.layers as readonly number[];
  const norm = weightOf(subject, `${FIRST}.bn3.weight`) ? "bn3" : "bn2";
  const seen = await read(
    subject,
    picture,
    ({ outputs }) => ({
      response: outputs.get(stem),
      residual: outputs.get(`${FIRST}.${norm}`),
      shortcut: outputs.get(`${FIRST}.downsample`),
      after: outputs.get(FIRST),
      ...Object.fromEntries(layers.map((n, i) => [`stage ${i}`, outputs.get(`layer${i + 1}.${n - 1}`)])),
    }),
    what,
  );
  const sizeOf = (name: string): Size => [seen.shape(name)[2], seen.shape(name)[3]];
  const grid = sizeOf("after");
  const channel = liveliest(seen.values("response"), sizeOf("response"));
  const blockChannel = liveliest(seen.values("residual"), grid);
  const [count, ...shape] = filters.shape;
  const size = filters.values.length / count;
  const last = `stage ${layers.length - 1}`;
  const of = (name: string) => channelOf(seen.values(name), blockChannel, grid);
  return {
    grid,
    patch: chosen(model, grid[0] * grid[1], patch ?? middleOf(grid)),
    filter: filters.values.subarray(channel * size, (channel + 1) * size),
    filterShape: shape,
    channel,
    filters: count,
    response: { size: sizeOf("response"), values: channelOf(seen.values("response"), channel, sizeOf("response")) },
    blockChannel,
    blockChannels: seen.shape("after")[1],
    residual: of("residual"),
    shortcut: of("shortcut"),
    after: of("after"),
    stages: layers.map((_, i) => ({ size: sizeOf(`stage ${i}`), maps: seen.values(`stage ${i}`) })),
    pooled: means(seen.values(last), sizeOf(last)),
    logits: seen.values("logits"),
  };
}

/** Mean of each map of [C, H, W]. */
function means(maps: Float32Array, size: Size): Float32Array {
  const places = size[0] * size[1];
  return Float32Array.from({ length: maps.length / places }, (_, c) =>
    channelOf(maps, c, size).reduce((sum, v) => sum + v / places, 0),
  );
}
