import { stat } from "node:fs/promises";
import { dirname, normalize } from "node:path";
import { TesseraeError } from "../errors.ts";
import { listModels } from "../models/index.ts";
import { errorCode, ioError } from "./file-system.ts";
import { type Pretrained as Located, parseHubName, type ResolveOptions, resolvePretrained } from "./hub/index.ts";

/**
 * Where a model lies that a user names: a path on this machine, or a model on the hub, which is downloaded where the
 * cache lacks it. What looks like a path is one, `runs/x` too where there is a folder `runs`: `hf-hub:` in front says
 * otherwise. Throws TesseraeError("io" | "usage" | "weights").
 */
export async function locate(text: string, options: ResolveOptions = {}): Promise<Located> {
  if (await exists(text)) return { path: text };
  const onHub = parseHubName(text) !== undefined || listModels().includes(text);
  if (onHub && !(await isPathLike(text))) return resolvePretrained(text, options);
  throw new TesseraeError("io", "no such file or folder", {
    where: text,
    hint: "Name a run folder, a checkpoint, an .onnx file, weights, or a model on the hub as timm/resnet18.a1_in1k",
  });
}

async function isPathLike(text: string): Promise<boolean> {
  if (/^(hf-hub:|hf_hub:|hf:\/\/|https:\/\/)/.test(text)) return false;
  const folder = dirname(normalize(text));
  return /^[.~/\\]/.test(text) || (folder !== "." && (await exists(folder)));
}

/** Throws TesseraeError("io") where the path cannot be looked at. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(errorCode(error) ?? "")) return false;
    throw ioError("cannot open the model", error, { where: path });
  }
}
