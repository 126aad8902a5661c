import type { NamedSlot } from "../nn/module.ts";
import { IMPORTED } from "./imported.ts";
import type { Model } from "./model.ts";

/** Parameters of a model in layers: 0 the stem, then the blocks in order, last the head. */
export interface LayerGroups {
  readonly count: number;
  /** Layer of every parameter, by state-dict name. */
  readonly layer: ReadonlyMap<string, number>;
}

const STEM =
  /^(?:cls_token|reg_token|dist_token|pos_embed1?$|pos_grid\.|patch_embed1?\.|norm_pre\.|stem\.|conv_stem\.|conv1\.|bn1\.|features\.0\.)/;

/** The numbers they capture order the blocks; one that is absent counts as 0. */
const BLOCKS: readonly RegExp[] = [
  /^blocks\.(\d+)\.(?:(\d+)\.(?!fn\.|weight$|bias$))?/, // ViT, MLP-Mixer, ConvMixer; EfficientNet's stages of blocks
  /^layers\.(\d+)\.(?:blocks\.(\d+))?/, // Swin: a merge goes with the block after it
  /^stages\.(\d+)\./, // MaxViT, PVT v2: a stage is a layer
  /^layer(\d+)\.(\d+)\./, // ResNet, axial and local attention
  /^block(\d+)\.(\d+)\./, // PVT, whose later embeddings go with the block after them
  /^(?:patch_embed|pos_embed)([2-4])/,
  /^features\.(\d+)\./, // VGG
];

/** Goes with the last block. */
const LAST = /^(?:norm\.|conv_head\.|bn2\.)/;

/**
 * Layers as timm's `group_matcher` makes them for layer-wise rates, for the families that timm has; the others follow
 * their next of kin. What no rule knows belongs to the head.
 */
export function layerGroups(names: readonly string[]): LayerGroups {
  // MobileNetV3's head convolution comes after pooling and has no norm: it is part of the head.
  const last = (name: string) => LAST.test(name) && (names.includes("bn2.weight") || !name.startsWith("conv_head"));
  const order = (name: string): readonly number[] => {
    if (STEM.test(name)) return [0];
    for (const pattern of BLOCKS) {
      const found = pattern.exec(name);
      if (found) return [1, Number(found[1]), Number(found[2] ?? 0)];
    }
    return last(name) ? [2] : [3];
  };
  const places = new Map(names.map((name) => [name, order(name)]));
  const present = [...new Set([...places.values()].map(String))].map((s) => s.split(",").map(Number)).sort(compare);
  const layer = new Map<string, number>();
  let count = 0;
  for (const place of present) {
    if (place[0] !== 2 || count === 0) count++;
    layer.set(String(place), count - 1);
  }
  return { count, layer: new Map(names.map((name) => [name, layer.get(String(places.get(name))) as number])) };
}

/** Layers of a model whose names follow no rule: its matrices in order, twelve groups of them, and the last one. */
export function depthGroups(slots: readonly Pick<NamedSlot, "name" | "shape">[]): LayerGroups {
  const matrices = slots.filter((s) => s.shape.length > 1).length;
  const groups = Math.min(12, Math.max(1, matrices - 1));
  const layer = new Map<string, number>();
  let seen = -1;
  for (const { name, shape } of slots) {
    if (shape.length > 1) seen++;
    const last = seen === matrices - 1;
    layer.set(name, last ? groups : Math.floor((Math.max(0, seen) * groups) / Math.max(1, matrices - 1)));
  }
  return { count: groups + 1, layer };
}

/** Layers of a model's parameters. */
export const layersOf = ({ name, slots }: Pick<Model, "name" | "slots">): LayerGroups => {
  const parameters = slots.filter((s) => s.slot === "parameter");
  return name === IMPORTED ? depthGroups(parameters) : layerGroups(parameters.map((s) => s.name));
};

const compare = (a: readonly number[], b: readonly number[]): number =>
  a[0] - b[0] || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
