import { lacks, type Picture } from "../../figure.ts";
import type { Subject } from "../../subject.ts";
import { middleOf } from "../common.ts";
import { cosines, liveliest, type Patch, rowsOf } from "../parts.ts";
import { chosen, read, weightOf } from "../read.ts";

/** Every number of the lecture, of one image, one patch and one channel. */
export interface Observation extends Patch {
  readonly dim: number;
  readonly depth: number;
  /** The table of patches x channels as it enters the first block, [S, C]. */
  readonly table: Float32Array;
  /** The channel that is drawn: the one that differs most from patch to patch. */
  readonly channel: number;
  /** That channel over the patches: normalised, in the hidden layer, and mixed. [S], [D_S], [S]. */
  readonly before: Float32Array;
  readonly hidden: Float32Array;
  readonly mixed: Float32Array;
  /** Row of the patch: as it came, what token mixing adds, normalised for the channels, hidden, what they add, and out. */
  readonly row: Float32Array;
  readonly fromTokens: Float32Array;
  readonly normed: Float32Array;
  readonly hiddenChannels: Float32Array;
  readonly fromChannels: Float32Array;
  readonly out: Float32Array;
  /** Of each block: the patch's row, and its cosine with every other. */
  readonly layers: readonly { readonly vector: Float32Array; readonly alike: Float32Array }[];
  readonly logits: Float32Array;
}

export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  const blocks = model.featureInfo.map((f) => f.module);
  const what = "table of patches and channels";
  const first = blocks[0];
  const seen = await read(
    subject,
    picture,
    ({ outputs }) => ({
      stem: outputs.get("stem"),
      norm1: outputs.get(`${first}.norm1`),
      hidden: outputs.get(`${first}.mlp_tokens.drop1`),
      tokens: outputs.get(`${first}.mlp_tokens`),
      norm2: outputs.get(`${first}.norm2`),
      hidden2: outputs.get(`${first}.mlp_channels.drop1`),
      channels: outputs.get(`${first}.mlp_channels`),
      ...Object.fromEntries(blocks.map((path) => [path, outputs.get(path)])),
    }),
    what,
  );
  const kernel = weightOf(subject, "stem.proj.weight");
  if (!kernel) throw lacks(model, `no ${what}`);
  const [dim, , height, width] = kernel.shape;
  const grid = [model.inputShape[1] / height, model.inputShape[2] / width] as const;
  const places = grid[0] * grid[1];
  const at = chosen(model, places, patch ?? middleOf(grid));
  const tokens = seen.values("tokens"); // [C, S]
  const channel = liveliest(tokens, grid);
  const row = (name: string): Float32Array => {
    const size = seen.shape(name).at(-1) as number;
    return seen.values(name).subarray(at * size, (at + 1) * size);
  };
  const ofChannel = (name: string): Float32Array => {
    const size = seen.shape(name)[2];
    return seen.values(name).subarray(channel * size, (channel + 1) * size);
  };
  const normed = seen.values("norm1");
  return {
    grid,
    patch: at,
    patchSize: [height, width],
    dim,
    depth: blocks.length,
    table: seen.values("stem"),
    channel,
    before: Float32Array.from({ length: places }, (_, p) => normed[p * dim + channel]),
    hidden: ofChannel("hidden"),
    mixed: ofChannel("tokens"),
    row: row("stem"),
    fromTokens: rowsOf(tokens, grid).subarray(at * dim, (at + 1) * dim),
    normed: row("norm2"),
    hiddenChannels: row("hidden2"),
    fromChannels: row("channels"),
    out: row(first),
    layers: blocks.map((path) => ({ vector: row(path), alike: cosines(seen.values(path), dim, at) })),
    logits: seen.values("logits"),
  };
}
