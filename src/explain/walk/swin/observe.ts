import type { Model } from "../../../models/model.ts";
import type { Size } from "../../../nn/size.ts";
import { windowLayout } from "../../../nn/window.ts";
import { lacks, type Picture } from "../../figure.ts";
import type { Subject } from "../../subject.ts";
import { type Windows, whereIs } from "../../windows.ts";
import { middleOf } from "../common.ts";
import { type Patch, rowColumn } from "../parts.ts";
import { chosen, read, weightOf } from "../read.ts";
import { lookOf, type WindowLook, wantedLook } from "../window-look.ts";

/** Every number of the lecture, of one image and one patch. */
export interface Observation extends Patch {
  readonly dim: number;
  readonly heads: number;
  /** Of the patch: projected, and normalised as it enters the first block: [C]. */
  readonly projected: Float32Array;
  readonly entered: Float32Array;
  /** In the first block, whose windows are plain, and in the second, whose windows are shifted where the map has room. */
  readonly plain: WindowLook;
  readonly shifted?: WindowLook;
  /** Mask of the last shifted window, [L, L]: 0, or -100 for two places that the roll brought together. */
  readonly mask?: Float32Array;
  /** What attention and MLP add in the first block, and what leaves it: [C]. */
  readonly attended: Float32Array;
  readonly mixed: Float32Array;
  readonly out: Float32Array;
  /** The four neighbours that are merged with the patch, [4C] (v1: normalised), and what they become, [2C]. */
  readonly neighbours?: Float32Array;
  readonly merged?: Float32Array;
  /** What each stage gave, [H, W, C]. */
  readonly stages: readonly { readonly size: Size; readonly channels: number; readonly values: Float32Array }[];
  readonly logits: Float32Array;
}

/** Window of the first stage, as the stage table has it. */
function windowsOf(model: Model, map: Size, shifted: boolean): Windows {
  const window = String(model.stage?.(0).window ?? "")
    .split("x")
    .map(Number);
  if (window.length !== 2 || window.some((s) => !(s > 0))) throw lacks(model, "no windows in its first stage");
  const layout = windowLayout(map, [window[0], window[1]], shifted);
  return { map, window: layout.window, kind: "window", shift: layout.shift };
}

const FIRST = "layers.0.blocks.0";
const SECOND = "layers.0.blocks.1";

export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  const stages = model.featureInfo.map((f) => f.module);
  const what = "patches and attention within windows";
  const kernel = weightOf(subject, "patch_embed.proj.weight");
  if (!kernel) throw lacks(model, `no ${what}`);
  const [dim, , height, width] = kernel.shape;
  const grid = [model.inputShape[1] / height, model.inputShape[2] / width] as const;
  const [plain, moved] = [windowsOf(model, grid, false), windowsOf(model, grid, true)];
  const blocks = (model.options.depths as readonly number[])[0];
  const shifts = blocks > 1 && moved.shift.some((s) => s > 0);
  // Swin V2 normalises what attention and MLP give; Swin what they take.
  const normsAfter = model.slots.some((s) => s.name === `${FIRST}.attn.logit_scale`);
  const seen = await read(
    subject,
    picture,
    (of) => ({
      projected: of.outputs.get("patch_embed.proj"),
      entered: of.outputs.get("patch_embed"),
      attended: of.outputs.get(normsAfter ? `${FIRST}.norm1` : `${FIRST}.attn`),
      mixed: of.outputs.get(normsAfter ? `${FIRST}.norm2` : `${FIRST}.mlp`),
      out: of.outputs.get(FIRST),
      ...wantedLook(of, "plain", `${FIRST}.attn`),
      ...(shifts && wantedLook(of, "shifted", `${SECOND}.attn`, true)),
      ...(stages.length > 1 && {
        neighbours: of.outputs.get(`layers.1.downsample.${normsAfter ? "reduction" : "norm"}`),
        merged: of.outputs.get("layers.1.downsample"),
      }),
      ...Object.fromEntries(stages.map((path) => [path, of.outputs.get(path)])),
    }),
    what,
  );
  const at = { grid, patch: chosen(model, grid[0] * grid[1], patch ?? middleOf(grid)) };
  const place = rowColumn(at);
  const where = whereIs(plain, place);
  const length = plain.window[0] * plain.window[1];
  const row = (name: string, index = at.patch): Float32Array => {
    const size = seen.shape(name).at(-1) as number;
    return seen.values(name).subarray(index * size, (index + 1) * size);
  };
  const places = grid[0] * grid[1];
  const quarter = Math.floor(place[0] / 2) * Math.ceil(grid[1] / 2) + Math.floor(place[1] / 2);
  const maps = seen.values("projected");
  const mask = shifts ? seen.values("shifted mask") : undefined;
  return {
    ...at,
    patchSize: [height, width],
    dim,
    heads: seen.shape("plain probs")[1],
    projected: Float32Array.from({ length: dim }, (_, c) => maps[c * places + at.patch]),
    entered: row("entered"),
    plain: lookOf(seen, "plain", plain, place),
    shifted: shifts ? lookOf(seen, "shifted", moved, place, true) : undefined,
    mask: mask?.subarray(mask.length - length * length),
    attended: row("attended", normsAfter ? at.patch : where.window * length + where.token),
    mixed: row("mixed"),
    out: row("out"),
    neighbours: stages.length > 1 ? row("neighbours", quarter) : undefined,
    merged: stages.length > 1 ? row("merged", quarter) : undefined,
    stages: stages.map((path) => {
      const [, h, w, channels] = seen.shape(path);
      return { size: [h, w], channels, values: seen.values(path) };
    }),
    logits: seen.values("logits"),
  };
}
