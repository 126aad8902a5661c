import { TesseraeError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import axial from "./axial.ts";
import convmixer from "./convmixer.ts";
import deit from "./deit.ts";
import efficientNets from "./efficientnet.ts";
import { IMPORTED, importedModel } from "./imported.ts";
import maxvit from "./maxvit.ts";
import mlp from "./mlp.ts";
import mlpMixer from "./mlp-mixer.ts";
import mobileNets from "./mobilenet.ts";
import { type CommonOptions, type Family, instantiate, type Model, type Variant } from "./model.ts";
import pvt from "./pvt.ts";
import pvtV2 from "./pvt-v2.ts";
import resnet from "./resnet.ts";
import sasa from "./sasa.ts";
import swin from "./swin.ts";
import swinV2 from "./swinv2.ts";
import vgg from "./vgg.ts";
import vit from "./vit.ts";
import vitHybrid from "./vit-hybrid.ts";

/** One line a family; a family is one file. */
const FAMILIES: readonly Family[] = [
  vit,
  vitHybrid,
  deit,
  swin,
  swinV2,
  maxvit,
  convmixer,
  pvt,
  pvtV2,
  axial,
  sasa,
  resnet,
  ...mobileNets,
  ...efficientNets,
  mlpMixer,
  mlp,
  vgg,
];

const VARIANTS: ReadonlyMap<string, Variant> = new Map(FAMILIES.flatMap((f) => Object.entries(f.variants)));

/** The family that a model's name is of; undefined for one that is not of this table. */
export const familyOf = (name: string): Family | undefined => FAMILIES.find((f) => Object.hasOwn(f.variants, name));

/** Names of all models, in the order of their families. */
export const listModels = (): string[] => [...VARIANTS.keys()];

/** Options of createModel: the common ones and the family's own, under timm's names. */
export type ModelOptions = Partial<CommonOptions> & Readonly<Record<string, unknown>>;

/**
 * Builds a model by timm's name. It holds no weights: `initialize(model, seed)` makes them.
 * Throws TesseraeError("usage") for an unknown name (with the nearest ones) or an option the model cannot take.
 */
export function createModel(name: string, options: ModelOptions = {}): Model {
  if (name === IMPORTED) return importedModel(options);
  const variant = VARIANTS.get(name);
  if (!variant) {
    const near = nearest(name, VARIANTS.keys());
    throw new TesseraeError("usage", `unknown model ${JSON.stringify(name)}`, {
      hint: near.length ? `Did you mean ${near.join(", ")}?` : "`tesserae models` lists them all",
    });
  }
  return instantiate(name, variant, options);
}
