import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../models/model.ts";
import type { Size } from "../nn/size.ts";

/** Tokens of an image: a grid of patches behind `prefix` tokens without a place. */
export interface TokenGrid {
  readonly size: Size;
  readonly prefix: number;
}

/** Tokens before the patches that are still taken for class, distillation and register tokens. */
const MOST_PREFIX = 16;

/** The grid that L tokens of a model are, by the strides of its feature maps; undefined where none fits. */
export function tokenGrid(
  { inputShape: [, height, width], featureInfo }: Model,
  length: number,
): TokenGrid | undefined {
  const strides = [...new Set(featureInfo.map((f) => f.reduction))].sort((a, b) => a - b);
  for (const stride of strides) {
    const size = [Math.floor(height / stride), Math.floor(width / stride)] as const;
    const prefix = length - size[0] * size[1];
    if (prefix >= 0 && prefix <= MOST_PREFIX) return { size, prefix };
  }
  return undefined;
}

/**
 * An activation as maps [N, C, H, W]: of maps [N, C, H, W] or [N, H, W, C], or of tokens [N, L, C] without those that have no
 * place. undefined where it has no places.
 */
export function asMaps(t: Tensor, model: Model): Tensor | undefined {
  if (t.rank === 4) return channelsLast(t.shape, model) ? t.transpose([0, 3, 1, 2]) : t;
  const grid = t.rank === 3 ? tokenGrid(model, t.shape[1]) : undefined;
  if (!grid) return undefined;
  const { size, prefix } = grid;
  const maps = t.slice(1, prefix, t.shape[1]).transpose([0, 2, 1]);
  return maps.reshape([t.shape[0], t.shape[2], ...size]);
}

/** Whether the two axes in the image's proportion are the second and third. */
function channelsLast([, a, b, c]: readonly number[], { inputShape: [, height, width] }: Model): boolean {
  const off = (h: number, w: number) => Math.abs(Math.log((h * width) / (w * height)));
  return off(a, b) < off(b, c);
}

/** What a module gave; of a list of modules, what its last gave. undefined where there is no such module. */
export function outputAt(outputs: ReadonlyMap<string, Tensor>, path: string): Tensor | undefined {
  if (outputs.has(path)) return outputs.get(path);
  let last: Tensor | undefined;
  for (let i = 0; outputs.has(`${path}.${i}`); i++) last = outputs.get(`${path}.${i}`);
  return last;
}

/** The grid of so many places in the image's proportion; undefined where there is none. */
export function gridOf({ inputShape: [, height, width] }: Pick<Model, "inputShape">, places: number): Size | undefined {
  const rows = Math.round(Math.sqrt((places * height) / width));
  return rows > 0 && places % rows === 0 ? [rows, places / rows] : undefined;
}
