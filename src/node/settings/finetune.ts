import type { TrainSettings } from "./index.ts";

/**
 * Settings of `tesserae finetune` where they are not those of `tesserae train`: for some hundred to some thousand images.
 * The classifier begins as the linear probe and the rest moves little, the less the nearer to the image, so that good
 * features are not distorted by the first gradients (Kumar et al. 2022, arXiv:2202.10054).
 */
export const FINETUNE = {
  headInit: "probe",
  freezeBn: true,
  epochs: 15,
  lr: 3e-5,
  smoothing: 0,
  minLr: 0,
  layerDecay: 0.75,
  scale: [0.35, 1],
  patience: 8,
} as const satisfies Partial<TrainSettings>;
