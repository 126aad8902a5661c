import { stat } from "node:fs/promises";
import { TesseraeError } from "../../errors.ts";
import { fileOf, type HubContext, type HubOptions, hubContext } from "./file.ts";
import { infoOf, timmVariants } from "./info.ts";
import { checkNames, isRepo } from "./names.ts";
import { matching, snapshotOf } from "./snapshot.ts";

/** Where published weights are on this machine. */
export interface Pretrained {
  /** A folder (config.json beside the weights), or one file. */
  readonly path: string;
  /** Absent for what was on this machine already. */
  readonly hub?: {
    readonly repo: string;
    readonly commit: string;
    /** As its card names it. */
    readonly license?: string;
  };
}

export interface ResolveOptions extends HubOptions {
  /** Called before anything is downloaded or taken from the cache. */
  readonly onLicense?: (license: string | undefined, repo: string) => void;
}

/** "timm/resnet18.a1_in1k: licence apache-2.0", for `onLicense`. */
export const licenseLine = (license: string | undefined, repo: string): string =>
  `${repo}: ${license ? `licence ${license}` : "names no licence"}`;

export interface HubName {
  readonly repo: string;
  /** Part after "@". */
  readonly revision?: string;
  /** Path in the repository, where one file is meant. */
  readonly file?: string;
}

/** Weights in the order they are preferred; the first that a repository holds is taken. */
const WEIGHTS = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "*.safetensors",
  "*.pth",
  "*.npz",
  "*.onnx",
];
const BESIDE = ["config.json", "preprocessor_config.json", "README.md", "LICENSE*"];

/**
 * Reads the name of a model on the hub: `owner/name`, `owner/name/path/file`, a short timm name with its tag
 * (`resnet18.a1_in1k`), each with `@revision` behind and `hf-hub:`, `hf://` or the hub's address before it. Undefined
 * where it cannot be one.
 */
export function parseHubName(text: string): HubName | undefined {
  const bare = text.replace(/^(hf-hub:|hf_hub:|hf:\/\/|https:\/\/(huggingface\.co|hf\.co)\/)/, "").replace(/\/$/, "");
  const [, name, revision] = /^([^@]*)(?:@(.+))?$/.exec(bare) ?? [];
  if (name === undefined) return undefined;
  const parts = name.split("/");
  const repo = parts.length === 1 ? `timm/${name}` : parts.slice(0, 2).join("/");
  const isShort = parts.length === 1;
  // "model.onnx" and "runs/model.onnx" are paths that were mistyped.
  const isPath = bare === text && parts.length < 3 && /\.(safetensors|pth|pt|bin|onnx|npz|ckpt|tar|zip)$/i.test(name);
  if (!isRepo(repo) || isPath || (isShort && !name.includes("."))) return undefined;
  return parts.length > 2 ? { repo, revision, file: parts.slice(2).join("/") } : { repo, revision };
}

/**
 * Finds weights by the text that a user gives: a path on this machine, or a model on the hub, which is downloaded into
 * the cache where it is not there. Throws TesseraeError("usage" | "io").
 */
export async function resolvePretrained(text: string, options: ResolveOptions = {}): Promise<Pretrained> {
  if (await exists(text)) return { path: text };
  const name = parseHubName(text);
  const context = hubContext({ ...options, revision: name?.revision ?? options.revision });
  if (!name) throw await unknownName(context, text);
  checkNames({ ...name, revision: context.revision });
  return download(context, name, options.onLicense);
}

async function download(
  context: HubContext,
  { repo, file }: HubName,
  onLicense: ResolveOptions["onLicense"],
): Promise<Pretrained> {
  const info = await infoOf(context, repo);
  const { commit, license, files } = info;
  onLicense?.(license, repo);
  const hub = { repo, commit, license };
  if (file !== undefined) return { path: await fileOf(context, repo, file), hub };
  const all = files?.map(({ path }) => path);
  const wanted = all ? [...matching(all, BESIDE), ...weightsOf(all, repo)] : ["*"];
  const snapshot = await snapshotOf(context, repo, wanted, info);
  if (!all) weightsOf(snapshot.files, repo);
  return { path: snapshot.folder, hub };
}

/** The weights to take of a repository's files: one kind only, since most hold the same weights in several. */
function weightsOf(files: readonly string[], repo: string): string[] {
  const top = files.filter((file) => !file.includes("/"));
  const found = WEIGHTS.map((pattern) => matching(top, [pattern])).find((names) => names.length > 0);
  if (!found)
    throw new TesseraeError("weights", "holds no weights of a kind that can be read", {
      where: repo,
      hint: "Wanted: safetensors, a PyTorch file, npz or ONNX; name one as owner/name/path/to/file",
    });
  return found[0].endsWith(".index.json") ? [...found, ...matching(top, ["model-*.safetensors"])] : [found[0]];
}

async function unknownName(context: HubContext, text: string): Promise<TesseraeError> {
  const isArchitecture = /^\w+$/.test(text);
  const variants = isArchitecture && !context.settings.offline ? await timmVariants(context, text).catch(() => []) : [];
  const tags = variants.map((name) => name.slice("timm/".length)).slice(0, 6);
  return new TesseraeError("usage", `"${text}" is neither a file, a folder nor a model on the hub`, {
    hint: tags.length
      ? `A timm model is named with its tag: ${tags.join(", ")}`
      : "Name a path, or a model as timm/resnet18.a1_in1k or resnet18.a1_in1k",
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
