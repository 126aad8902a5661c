import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import { toFloat32 } from "../weights/host-tensor.ts";
import type { Model } from "./model.ts";
import type { LoadReport } from "./pretrained.ts";
import { initialize, type Weights } from "./trace.ts";

const BACKBONE = "patch_embed.backbone.";

/** A ResNet's names as those of the ResNetV2 in a hybrid: norms keep their scale and shift, not their statistics. */
const RESNET: readonly (readonly [RegExp, (c: readonly string[]) => string])[] = [
  [/^conv1\.(\w+)$/, ([kind]) => `stem.conv.${kind}`],
  [/^bn1\.(weight|bias)$/, ([kind]) => `stem.norm.${kind}`],
  [/^layer(\d)\.(\d+)\.conv(\d)\.(\w+)$/, ([s, b, k, kind]) => `stages.${Number(s) - 1}.blocks.${b}.conv${k}.${kind}`],
  [
    /^layer(\d)\.(\d+)\.bn(\d)\.(weight|bias)$/,
    ([s, b, k, kind]) => `stages.${Number(s) - 1}.blocks.${b}.norm${k}.${kind}`,
  ],
  [
    /^layer(\d)\.(\d+)\.downsample\.([01])\.(weight|bias)$/,
    ([s, b, what, kind]) => `stages.${Number(s) - 1}.blocks.${b}.downsample.${what === "0" ? "conv" : "norm"}.${kind}`,
  ],
];

/** The name below the hybrid's backbone; undefined for what it has no place for. */
function stemName(name: string): string | undefined {
  if (name.startsWith(BACKBONE)) return name.slice(BACKBONE.length);
  for (const [from, to] of RESNET) {
    const match = from.exec(name);
    if (match) return to(match.slice(1));
  }
  return /^(stem|stages)\./.test(name) ? name : undefined;
}

/**
 * Weights for a hybrid ViT whose backbone begins as a ResNet or ResNetV2 and whose rest begins anew. What the ResNet
 * has under a hybrid's names and in its shape is taken. Throws TesseraeError("usage" | "weights").
 */
export function stemWeights(
  model: Model,
  tensors: Weights,
  { seed = 0, where }: { seed?: number; where?: string } = {},
): { weights: Map<string, TensorData>; report: LoadReport } {
  const slots = new Map(model.slots.filter((s) => s.name.startsWith(BACKBONE)).map((s) => [s.name, `${s.shape}`]));
  if (slots.size === 0)
    throw new TesseraeError("usage", "has no ResNet below: a pretrained stem is for the hybrids", {
      where: model.name,
      hint: "Such as vit_small_r26_s32_224",
    });
  const weights = initialize(model, seed);
  const unused: string[] = [];
  let taken = 0;
  for (const [name, tensor] of tensors) {
    const ours = `${BACKBONE}${stemName(name)}`;
    if (slots.get(ours) === `${tensor.shape}`) {
      weights.set(ours, { dtype: "float32", shape: tensor.shape, data: toFloat32(tensor) });
      slots.delete(ours);
      taken++;
    } else unused.push(name);
  }
  if (taken === 0) throw new TesseraeError("weights", `nothing in it fits the ResNet of ${model.name}`, { where });
  return { weights, report: { taken, resampled: [], channels: [], freshHead: [], fresh: [...slots.keys()], unused } };
}
