import {
  createPredictor,
  createWebBackend,
  createWebEngine,
  decodeImage,
  fetchModel,
  listWebDevices,
  type WebOptions,
} from "../../src/web/index.ts";
import { answers, losses } from "./cases.ts";

const fetched = async (address: string): Promise<Blob> => (await fetch(address)).blob();

const base64 = (bytes: Uint8Array): string => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

/** What a test asks of the page. */
const page = {
  devices: listWebDevices,
  isolated: () => globalThis.crossOriginIsolated,

  /** Size and pixels of an image file, or the error. */
  async decode(address: string) {
    try {
      const { width, height, data } = await decodeImage(await fetched(address), address);
      return { size: [width, height], pixels: base64(data) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  },

  /** The losses of a few steps, in the page's thread. */
  async losses(name: string, options: WebOptions, steps?: number) {
    return losses(name, await createWebBackend({ assets: "ort/", ...options }), steps);
  },

  /** What the studio asks of a model file, its programs in a worker. */
  async answers(model: string, image: string, options: WebOptions = {}) {
    const engine = await createWebEngine({ assets: "ort/", ...options });
    try {
      const { spec, weights = new Map(), onnx } = await fetchModel(model);
      return await answers({ spec, weights, onnx }, await decodeImage(await fetched(image)), engine);
    } finally {
      await engine.dispose();
    }
  },

  /** The best guesses of a model file for an image file, its program in a worker, or the error. */
  async predict(model: string, image: string, options: WebOptions = {}) {
    try {
      const engine = await createWebEngine({ assets: "ort/", ...options });
      const predictor = await createPredictor(await fetchModel(model), engine);
      const guesses = await predictor.predict(await fetched(image));
      await predictor.dispose();
      await engine.dispose();
      return guesses;
    } catch (error) {
      return (error as Error).message;
    }
  },
};

export type TestPage = typeof page;

Object.assign(globalThis, { page });
