import type { Tensor } from "../../../graph/tensor.ts";
import type { Model } from "../../../models/model.ts";
import type { Size } from "../../../nn/size.ts";
import { lacks, type Picture } from "../../figure.ts";
import { tokenGrid } from "../../places.ts";
import { answer, floats, type Inside, type Subject } from "../../subject.ts";

/** Every number that the lecture shows, of one image and one patch. */
export interface Observation {
  readonly grid: Size;
  /** Side of a patch in pixels. */
  readonly patchSize: Size;
  /** Tokens before the patches. */
  readonly prefix: number;
  readonly dim: number;
  readonly heads: number;
  /** The patch that is followed, from 0. */
  readonly patch: number;
  /** Of the patch after the projection, [D]. */
  readonly projected: Float32Array;
  /** What is added to each patch for its place, [L, D]. */
  readonly positions: Float32Array;
  /** All tokens as they enter the first block, [prefix + L, D]. */
  readonly tokens: Float32Array;
  /** The first block's first head, of the patch: [d]; and of all tokens: [prefix + L, d]. */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** After the first block's attention and its MLP, of the patch: [D]. */
  readonly attended: Float32Array;
  readonly mixed: Float32Array;
  /** Of the patch as it leaves each block, [D] each. */
  readonly layers: readonly Float32Array[];
  /** Of each layer, [heads, prefix + L, prefix + L]. */
  readonly attention: readonly Float32Array[];
  readonly logits: Float32Array;
}

const missing = (model: Model) =>
  lacks(model, "no patches of the image that ask each other, which this lecture follows");

interface Wanted {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly layers: readonly string[];
  readonly length: number;
  readonly heads: number;
}

/** What is read of a ViT's inside. Throws TesseraeError("model") for a model of other steps. */
function wanted(model: Model, { taps, outputs, logits }: Inside): Wanted {
  const layers = model.featureInfo.map((f) => f.module);
  const first = layers[0];
  const need = (t?: Tensor): Tensor => {
    if (!t) throw missing(model);
    return t;
  };
  const probs = layers.map((path) => need(taps.get(`${path}.attn.probs`)));
  if (probs.some((p) => p.shape[0] !== 1 || p.shape[2] !== p.shape[3])) throw missing(model);
  const tensors = new Map<string, Tensor>([
    ["patches", need(outputs.get("patch_embed"))],
    ["tokens", need(outputs.get("pos_drop"))],
    ["attn", need(outputs.get(`${first}.attn`))],
    ["mlp", need(outputs.get(`${first}.mlp`))],
    ["logits", logits],
  ]);
  for (const name of "qkv") tensors.set(name, need(taps.get(`${first}.attn.${name}`)));
  layers.forEach((path, i) => {
    tensors.set(`probs ${i}`, probs[i]);
    tensors.set(`layer ${i}`, need(outputs.get(path)));
  });
  return { tensors, layers, length: probs[0].shape[2], heads: probs[0].shape[1] };
}

/** Runs the image once and keeps what the lecture needs. `patch`: absent, the one that the class token asks most in the end. */
export async function observe(subject: Subject, picture: Picture, patch?: number): Promise<Observation> {
  const { model } = subject;
  let found: Wanted | undefined;
  const result = await answer(subject, { images: picture.input, classes: [0] }, (of) => {
    found = wanted(model, of);
    return found.tensors;
  });
  const { layers, length, heads } = found as Wanted;
  const place = tokenGrid(model, length);
  const kernel = model.slots.find((s) => s.name === "patch_embed.proj.weight")?.shape;
  if (!place || kernel?.length !== 4) throw missing(model);
  const { size: grid, prefix } = place;
  const [dim, , ...patchSize] = kernel;
  const attention = layers.map((_, i) => floats(result, `probs ${i}`));
  const at = patch ?? mostAsked(attention[attention.length - 1], { heads, length, prefix });
  const row = (name: string, token: number): Float32Array =>
    floats(result, name).subarray(token * dim, (token + 1) * dim);
  const [patches, tokens] = [floats(result, "patches"), floats(result, "tokens")];
  const d = dim / heads;
  return {
    grid,
    patchSize: [patchSize[0], patchSize[1]],
    prefix,
    dim,
    heads,
    patch: at,
    projected: row("patches", at),
    positions: patches.map((v, i) => tokens[prefix * dim + i] - v),
    tokens,
    q: floats(result, "q").subarray((prefix + at) * d, (prefix + at + 1) * d),
    k: floats(result, "k").subarray(0, length * d),
    v: floats(result, "v").subarray(0, length * d),
    attended: row("attn", prefix + at),
    mixed: row("mlp", prefix + at),
    layers: layers.map((_, i) => row(`layer ${i}`, prefix + at)),
    attention,
    logits: floats(result, "logits"),
  };
}

/** The patch to which the class token (or all patches together) attends most, heads averaged. */
function mostAsked(probs: Float32Array, { heads, length, prefix }: { heads: number; length: number; prefix: number }) {
  const sums = new Float64Array(length);
  const rows = prefix > 0 ? [0] : Array.from({ length }, (_, i) => i);
  for (let h = 0; h < heads; h++)
    for (const r of rows) for (let c = 0; c < length; c++) sums[c] += probs[(h * length + r) * length + c];
  const patches = sums.subarray(prefix);
  return patches.indexOf(Math.max(...patches));
}
