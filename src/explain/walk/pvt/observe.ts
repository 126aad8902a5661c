import type { Size } from "../../../nn/size.ts";
import { lacks, type Picture } from "../../figure.ts";
import type { Subject } from "../../subject.ts";
import { middleOf } from "../common.ts";
import { atPlace, type Cell, mapsOfRows } from "../parts.ts";
import { chosen, given, read, weightOf } from "../read.ts";

/** A stage of the pyramid. */
export interface StageView {
  readonly size: Size;
  readonly channels: number;
  readonly heads: number;
  /** Keys and values of its first block; with a class token, that too. */
  readonly keys: number;
  readonly maps: Float32Array;
}

/** Every number of the lecture, of one image and one patch of the first stage. */
export interface Observation extends Cell {
  /** Kernel and stride of the first patches. */
  readonly kernel: number;
  readonly stride: number;
  readonly dim: number;
  readonly heads: number;
  readonly projected: Float32Array;
  /** Tokens of the first block, normalised: [C, H, W]; and what their reduction gives, normalised: [C, h, w]. */
  readonly before: Float32Array;
  readonly after: Float32Array;
  readonly reduced: Size;
  /** First head: the patch's query [d], the reduced map's keys and values [h·w, d]. */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** Shares of the reduced places that the patch takes, [h·w]. */
  readonly shares: Float32Array;
  /** The patch as it enters the first block, what attention and MLP add, and as it leaves: [C]. */
  readonly entered: Float32Array;
  readonly attended: Float32Array;
  readonly mixed: Float32Array;
  readonly out: Float32Array;
  readonly stages: readonly StageView[];
  readonly logits: Float32Array;
}

/** Paths of PVT's parts, and of PVT v2's. */
const LAYOUTS = [
  { embed: "patch_embed1.proj", block: (stage: number) => `block${stage + 1}.0`, maps: (i: number) => `block${i + 1}` },
  {
    embed: "patch_embed.proj",
    block: (stage: number) => `stages.${stage}.blocks.0`,
    maps: (i: number) => `stages.${i}`,
  },
] as const;

export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  const what = "pyramid of attention to reduced maps";
  const layout = LAYOUTS.find(({ embed }) => weightOf(subject, `${embed}.weight`));
  const kernel = layout && weightOf(subject, `${layout.embed}.weight`);
  if (!layout || !kernel) throw lacks(model, `no ${what}`);
  const first = layout.block(0);
  const stages = model.featureInfo.map((_, i) => i);
  const depths = model.options.depths as readonly number[];
  const seen = await read(
    subject,
    picture,
    ({ outputs, taps }) => {
      const norm = outputs.get(`${first}.norm1`);
      return {
        projected: outputs.get(layout.embed),
        before: norm,
        entered: given(norm, 0),
        conv: outputs.get(`${first}.attn.sr`),
        after: outputs.get(`${first}.attn.norm`),
        q: taps.get(`${first}.attn.q`),
        k: taps.get(`${first}.attn.k`),
        v: taps.get(`${first}.attn.v`),
        attended: outputs.get(`${first}.attn`),
        mixed: outputs.get(`${first}.mlp`),
        out: outputs.get(first),
        ...Object.fromEntries(
          stages.flatMap((i) => [
            [`probs ${i}`, taps.get(`${layout.block(i)}.attn.probs`)],
            [`stage ${i}`, outputs.get(layout.maps(i)) ?? outputs.get(`${layout.maps(i)}.${depths[i] - 1}`)],
          ]),
        ),
      };
    },
    what,
  );
  const [, dim, height, width] = seen.shape("projected");
  const grid = [height, width] as const;
  const at = { grid, patch: chosen(model, height * width, patch ?? middleOf(grid)) };
  const row = (name: string): Float32Array => {
    const size = seen.shape(name).at(-1) as number;
    return seen.values(name).subarray(at.patch * size, (at.patch + 1) * size);
  };
  const [, , h, w] = seen.shape("conv");
  const d = seen.shape("k")[3];
  return {
    ...at,
    kernel: kernel.shape[2],
    stride: model.inputShape[1] / height,
    dim,
    heads: seen.shape("q")[1],
    projected: atPlace(seen.values("projected"), at),
    before: mapsOfRows(seen.values("before"), grid),
    after: mapsOfRows(seen.values("after"), [h, w]),
    reduced: [h, w],
    q: row("q"),
    k: seen.values("k").subarray(0, h * w * d),
    v: seen.values("v").subarray(0, h * w * d),
    shares: row("probs 0"),
    entered: row("entered"),
    attended: row("attended"),
    mixed: row("mixed"),
    out: row("out"),
    stages: stages.map((i) => {
      const [size, channels] = [sizeOf(model.inputShape, model.featureInfo[i].reduction), model.featureInfo[i].num_chs];
      const [, heads, , keys] = seen.shape(`probs ${i}`);
      return { size, channels, heads, keys, maps: mapsOf(seen.values(`stage ${i}`), seen.shape(`stage ${i}`), size) };
    }),
    logits: seen.values("logits"),
  };
}

const sizeOf = ([, height, width]: readonly number[], reduction: number): Size => [
  Math.ceil(height / reduction),
  Math.ceil(width / reduction),
];

/** Maps [C, H, W] of maps, or of tokens [prefix + H·W, C]. */
function mapsOf(values: Float32Array, shape: readonly number[], size: Size): Float32Array {
  if (shape.length === 4) return values;
  const places = size[0] * size[1];
  return mapsOfRows(values.subarray((shape[1] - places) * shape[2]), size);
}
