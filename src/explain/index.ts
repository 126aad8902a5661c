import type { Figure } from "./figure.ts";
import { attentionDistance } from "./figures/attention-distance.ts";
import { attentionMaps } from "./figures/attention-maps.ts";
import { axialAttention } from "./figures/axial-attention.ts";
import { similarity } from "./figures/cka.ts";
import { depthwiseKernels } from "./figures/depthwise-kernels.ts";
import { embeddingMap } from "./figures/embedding-map.ts";
import { filters } from "./figures/filters.ts";
import { gradCam, gradCamPlusPlus } from "./figures/grad-cam.ts";
import { integrated, smoothGrad } from "./figures/gradients.ts";
import { lossLandscape } from "./figures/loss-landscape.ts";
import { neighbours } from "./figures/neighbours.ts";
import { occlusion } from "./figures/occlusion.ts";
import { positionBias } from "./figures/position-bias.ts";
import { positionSimilarity } from "./figures/position-similarity.ts";
import { receptiveField } from "./figures/receptive-field.ts";
import { receptiveFieldByDepth } from "./figures/receptive-field-depth.ts";
import { reducedAttention } from "./figures/reduced-attention.ts";
import { relevance } from "./figures/relevance.ts";
import { rollout } from "./figures/rollout.ts";
import { windowAttention } from "./figures/window-attention.ts";

/** Figures by the names that `tesserae explain --figure` takes. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  attention: attentionMaps,
  rollout,
  relevance,
  gradcam: gradCam,
  "gradcam++": gradCamPlusPlus,
  "integrated-gradients": integrated,
  smoothgrad: smoothGrad,
  occlusion,
  "reduced-attention": reducedAttention,
  "window-attention": windowAttention,
  "axial-attention": axialAttention,
  "attention-distance": attentionDistance,
  "receptive-field": receptiveField,
  "receptive-field-depth": receptiveFieldByDepth,
  cka: similarity,
  "embedding-map": embeddingMap,
  neighbours,
  "loss-landscape": lossLandscape,
  filters,
  positions: positionSimilarity,
  "position-bias": positionBias,
  kernels: depthwiseKernels,
};

export const figureNames = Object.keys(FIGURES);
export type { ChartDrawing, Drawing, Panel, PanelDrawing } from "./drawing.ts";
export type { Figure, FigureContext, Picture } from "./figure.ts";
export type { Subject } from "./subject.ts";
