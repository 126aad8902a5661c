/**
 * tesserae in the browser: build, train, predict with and explain vision backbones in a page.
 * @module
 */
export * from "../index.ts";
export { pictureOf } from "../studio/picture.ts";
export type { Guess } from "../train/predictor.ts";
export { checkWebDevice, createWebBackend, listWebDevices, type WebDevice, type WebOptions } from "./backend.ts";
export { decodeImage } from "./decode.ts";
export { createWebEngine } from "./engine.ts";
export {
  createPredictor,
  type FetchModelOptions,
  fetchModel,
  type Predictor,
  type ReadModelOptions,
  readModel,
  subjectOf,
  type WebModel,
} from "./model.ts";
