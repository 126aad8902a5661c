import { samePadding } from "../../../nn/conv.ts";
import type { Size } from "../../../nn/size.ts";
import type { Picture } from "../../figure.ts";
import { lacks } from "../../figure.ts";
import type { Subject } from "../../subject.ts";
import { middleOf } from "../common.ts";
import { atPlace, channelOf, cosines, liveliest, type Patch, rowColumn, rowsOf } from "../parts.ts";
import { chosen, read, weightOf } from "../read.ts";

/** Every number of the lecture, of one image and one patch. Maps are [H, W], vectors [h]. */
export interface Observation extends Patch {
  readonly dim: number;
  readonly depth: number;
  /** Side of the depthwise kernels. */
  readonly kernelSize: number;
  /** Of the patch: W x + b, and norm(σ(·)) of it (eq. 1). */
  readonly projected: Float32Array;
  readonly embedded: Float32Array;
  /** The channel that is drawn: the one that differs most from place to place. */
  readonly channel: number;
  readonly kernel: Float32Array;
  readonly bias: number;
  /** What the kernel lies on around the patch, 0 outside the map: [k · k]. */
  readonly window: Float32Array;
  /** Of the channel: before, after the depthwise convolution, after σ and norm, and after the residual (eq. 2). */
  readonly before: Float32Array;
  readonly convolved: Float32Array;
  readonly normed: Float32Array;
  readonly added: Float32Array;
  /** All channels at the patch before and after the pointwise convolution (eq. 3), and after σ and norm. */
  readonly column: Float32Array;
  readonly mixed: Float32Array;
  readonly out: Float32Array;
  /** Of each block: the patch's vector, and its cosine with every place's. */
  readonly layers: readonly { readonly vector: Float32Array; readonly alike: Float32Array }[];
  readonly logits: Float32Array;
}

/** Values of a map [H, W] under a kernel at a place, with "same" padding of zeros. */
export function under(map: Float32Array, [h, w]: Size, side: number, [row, column]: Size): Float32Array {
  const [top, left] = [samePadding(h, side, 1)[0], samePadding(w, side, 1)[0]];
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [row - top + Math.floor(i / side), column - left + (i % side)];
    return y >= 0 && x >= 0 && y < h && x < w ? map[y * w + x] : 0;
  });
}

export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  const blocks = model.featureInfo.map((f) => f.module);
  const what = "patches and depthwise convolutions";
  const seen = await read(
    subject,
    picture,
    ({ outputs }) => ({
      projected: outputs.get("stem.0"),
      stem: outputs.get("stem"),
      convolved: outputs.get("blocks.0.0.fn.0"),
      normed: outputs.get("blocks.0.0.fn"),
      added: outputs.get("blocks.0.0"),
      mixed: outputs.get("blocks.0.1"),
      ...Object.fromEntries(blocks.map((path) => [path, outputs.get(path)])),
    }),
    what,
  );
  const embed = weightOf(subject, "stem.0.weight");
  const depthwise = weightOf(subject, "blocks.0.0.fn.0.weight");
  if (!embed || !depthwise) throw lacks(model, `no ${what}`);
  const [, , height, width] = seen.shape("stem");
  const grid = [height, width] as const;
  const at = { grid, patch: chosen(model, height * width, patch ?? middleOf(grid)) };
  const [dim, side] = [depthwise.shape[0], depthwise.shape[2]];
  const stem = seen.values("stem");
  const channel = liveliest(seen.values("convolved"), grid);
  const of = (name: string) => channelOf(seen.values(name), channel, grid);
  const column = (name: string) => atPlace(seen.values(name), at);
  const before = channelOf(stem, channel, grid);
  return {
    ...at,
    patchSize: [embed.shape[2], embed.shape[3]],
    dim,
    depth: blocks.length,
    kernelSize: side,
    projected: column("projected"),
    embedded: column("stem"),
    channel,
    kernel: depthwise.values.subarray(channel * side * side, (channel + 1) * side * side),
    bias: weightOf(subject, "blocks.0.0.fn.0.bias")?.values[channel] ?? 0,
    window: under(before, grid, side, rowColumn(at)),
    before,
    convolved: of("convolved"),
    normed: of("normed"),
    added: of("added"),
    column: column("added"),
    mixed: column("mixed"),
    out: column(blocks[0]),
    layers: blocks.map((path) => {
      const rows = rowsOf(seen.values(path), grid);
      return { vector: column(path), alike: cosines(rows, dim, at.patch) };
    }),
    logits: seen.values("logits"),
  };
}
