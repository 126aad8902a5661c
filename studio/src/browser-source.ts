import type { RgbImage } from "../../src/data/image.ts";
import type { Backend } from "../../src/runtime/backend.ts";
import { createStudioModel, type StudioModel } from "../../src/studio/model.ts";
import type { RunCurves } from "../../src/studio/run.ts";
import { differencesAmong, parseSite, type Site, type SiteRun } from "../../src/studio/site.ts";
import { listWebDevices } from "../../src/web/backend.ts";
import { decodeImage } from "../../src/web/decode.ts";
import { createWebEngine } from "../../src/web/engine.ts";
import { fetchModel } from "../../src/web/model.ts";
import type { ModelSource, Models } from "./model-source.ts";
import type { RunSource } from "./run-source.ts";
import type { Studio } from "./studio.ts";

/** Fetches a file of the folder; what is not there rejects with a line for people. */
async function fetchFile(address: URL): Promise<Response> {
  const response = await fetch(address).catch(() => undefined);
  if (response?.ok) return response;
  throw new Error(`${address.pathname} cannot be fetched: ${response ? response.status : "the host does not answer"}`);
}

/** Each file that was given is decoded once: a pointer asks of the same image again and again. */
const decoded = new WeakMap<Blob, Promise<RgbImage>>();

function decodeOnce(image: Blob): Promise<RgbImage> {
  const known = decoded.get(image) ?? decodeImage(image);
  decoded.set(image, known);
  return known;
}

/** A model of the folder in the browser itself. */
const inBrowser = (model: StudioModel): ModelSource => ({
  info: model.info,
  predict: async (image, top) => model.predict(await decodeOnce(image), top),
  attention: async (image, path) => model.attention(await decodeOnce(image), path),
  evidence: async (image, method, target) => model.evidence(await decodeOnce(image), method, target),
});

/** The engine on the folder's device where the browser has it, else on WebAssembly. */
async function openEngine({ device }: Site, base: URL): Promise<Backend> {
  const there = device === "cpu" || (await listWebDevices()).includes(device);
  return createWebEngine({ device: there ? device : "cpu", assets: new URL("ort/", base) });
}

function siteModels(site: Site, base: URL): Models {
  const { models } = site;
  let backend: Promise<Backend> | undefined;
  return {
    list: async () => models.map(({ id, name, model }) => ({ id, name, model })),
    open: async (id) => {
      const entry = models.find((m) => m.id === id);
      if (!entry) throw new Error(`There is no model ${id} here`);
      backend ??= openEngine(site, base);
      const { spec, weights, onnx } = await fetchModel(new URL(entry.file, base), { name: entry.name });
      if (!weights) throw new Error(`${entry.name} holds its weights as integers, which cannot be explained`);
      return inBrowser(await createStudioModel({ name: entry.name, spec, weights, onnx, backend: await backend }));
    },
  };
}

/** The runs of the folder, which do not change. */
function siteRuns({ runs, differences }: Site, base: URL): RunSource {
  const runOf = (id: string): SiteRun => {
    const found = runs.find(({ details }) => details.entry.id === id);
    if (!found) throw new Error(`There is no run ${id} here`);
    return found;
  };
  const curvesOf = async (id: string) => (await (await fetchFile(new URL(runOf(id).curves, base))).json()) as RunCurves;
  return {
    list: async () => runs.map(({ details }) => details.entry),
    details: async (id) => runOf(id).details,
    differences: async (ids) =>
      differencesAmong(
        differences,
        ids.map((id) => runs.indexOf(runOf(id))),
      ),
    watch: (ids, watcher) => {
      let watched = true;
      const tell = async (id: string): Promise<void> => {
        const curves = await curvesOf(id);
        if (watched) watcher.onCurves(id, curves);
      };
      for (const id of ids) tell(id).catch(() => {}); // a curve that is not there stays empty
      return () => {
        watched = false;
      };
    },
  };
}

/** The studio of an exported folder, whose description lies at that address. */
export async function openSite(address: URL): Promise<Studio> {
  const site = parseSite(await (await fetchFile(address)).text(), address.pathname);
  return { models: siteModels(site, address), runs: siteRuns(site, address) };
}
