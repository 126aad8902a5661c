import { TesseraeError } from "../../errors.ts";
import { sizeOf } from "../../graph/types.ts";
import { quoted } from "../header-scanner.ts";
import { type HostTensor, toFloat32 } from "../host-tensor.ts";
import * as flax from "./flax.ts";
import type { How, Layout, Rule } from "./layout.ts";
import * as originals from "./originals.ts";
import * as torchvision from "./torchvision.ts";
import * as transformers from "./transformers.ts";
import * as vitPytorch from "./vit-pytorch.ts";

/** Names as ours and timm's: nothing changes. */
const OWN: Layout = { name: "timm", models: /./, detect: () => true, rules: [[/^(.*)$/, "$1"]] };

/** In the order in which they are tried. */
export const LAYOUTS: readonly Layout[] = [
  ...[transformers.vit, transformers.swin, transformers.resnet, transformers.pvt],
  ...[torchvision.vgg, torchvision.vit, torchvision.swin],
  ...[torchvision.efficientNet, torchvision.mobileNetV2, torchvision.mobileNetV3],
  ...[originals.convMixer, originals.pvtV2, originals.swin, vitPytorch.vit, flax.vit],
  OWN,
];

/** The layout that a file's names are of: "timm" where they are of no other. */
export const layoutOf = (names: ReadonlySet<string>): Layout => LAYOUTS.find((l) => l.detect(names)) as Layout;

export interface Renamed {
  readonly layout: Layout;
  /** By our names. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Tensors of the file that are nothing of ours, by the file's names. */
  readonly unused: readonly string[];
}

/** A file's tensors under our names and in our layout. Throws TesseraeError("weights") where two become one. */
export function renameTensors(tensors: ReadonlyMap<string, HostTensor>, where?: string): Renamed {
  const names = new Set(tensors.keys());
  const layout = layoutOf(names);
  const out = new Map<string, HostTensor>();
  const parts = new Map<string, HostTensor[]>();
  const unused: string[] = [];
  for (const [name, tensor] of tensors) {
    const found = target(layout.rules, name, names);
    if (!found) {
      unused.push(name);
      continue;
    }
    const value = found.how?.map ? found.how.map(tensor) : tensor;
    if (found.how?.part) {
      const [index, count] = found.how.part;
      const list = parts.get(found.to) ?? new Array<HostTensor>(count);
      list[index] = value;
      parts.set(found.to, list);
    } else if (out.has(found.to)) throw new TesseraeError("weights", `two tensors are ${quoted(found.to)}`, { where });
    else out.set(found.to, value);
  }
  for (const [name, list] of parts) out.set(name, joined(name, list, where));
  return { layout, tensors: out, unused };
}

function target(
  rules: readonly Rule[],
  name: string,
  names: ReadonlySet<string>,
): { to: string; how?: How } | undefined {
  for (const [from, to, how] of rules) {
    const match = from.exec(name);
    if (!match) continue;
    const ours =
      typeof to === "function" ? to(match.slice(1), names) : to?.replaceAll(/\$(\d)/g, (_, i) => match[Number(i)]);
    return ours ? { to: ours, how } : undefined;
  }
  return undefined;
}

/** Parts one after another along the first axis. */
function joined(name: string, list: readonly (HostTensor | undefined)[], where?: string): HostTensor {
  const given = Array.from(list).filter((t) => t !== undefined);
  const fits = given.every((t) => `${t.shape.slice(1)}` === `${given[0].shape.slice(1)}` && t.shape.length > 0);
  if (given.length !== list.length || !fits)
    throw new TesseraeError("weights", `the parts of ${quoted(name)} are not all there, or do not fit`, { where });
  const shape = [given.reduce((sum, t) => sum + t.shape[0], 0), ...given[0].shape.slice(1)];
  const data = new Float32Array(sizeOf(shape));
  let at = 0;
  for (const t of given) {
    data.set(toFloat32(t), at);
    at += t.data.length;
  }
  return { dtype: "float32", shape, data };
}
