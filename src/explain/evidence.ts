import type { Size } from "../nn/size.ts";
import type { AttentionLayer } from "./attention-layers.ts";
import type { Picture } from "./figure.ts";
import { FIGURES } from "./index.ts";
import type { Subject } from "./subject.ts";

/** A figure of the table that is one map over one image for one class. */
export interface EvidenceMethod {
  /** Key of FIGURES. */
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** Values below 0 speak against the class. */
  readonly signed: boolean;
}

/** How much each place of an image speaks for a class. */
export interface EvidenceMap {
  readonly size: Size;
  /** [h · w]. */
  readonly values: Float32Array;
}

interface Kind {
  readonly signed?: true;
  /** Needs a layer in which every token asks every token. */
  readonly global?: true;
}

const METHODS: Readonly<Record<string, Kind>> = {
  gradcam: {},
  "gradcam++": {},
  rollout: { global: true },
  relevance: { global: true },
  "integrated-gradients": { signed: true },
  smoothgrad: { signed: true },
  occlusion: { signed: true },
};

/** The methods that a model with these layers of attention allows. */
export const evidenceMethods = (layers: readonly Pick<AttentionLayer, "kind">[]): EvidenceMethod[] =>
  Object.entries(METHODS)
    .filter(([, { global }]) => !global || layers.some((l) => l.kind === "global"))
    .map(([name, { signed = false }]) => ({ name, title: FIGURES[name].title, source: FIGURES[name].source, signed }));

/** The numbers of a figure of `evidenceMethods` over one picture. Throws TesseraeError("model") that says what the model lacks. */
export async function evidenceMap(subject: Subject, method: string, picture: Picture): Promise<EvidenceMap> {
  const { data } = await FIGURES[method].draw({ ...subject, pictures: [picture], seed: 0 });
  const [{ size, map }] = data as readonly [{ size: Size; map: readonly number[] }];
  return { size, values: Float32Array.from(map) };
}
