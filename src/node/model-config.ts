import { TesseraeError } from "../errors.ts";
import type { ModelOptions } from "../models/index.ts";
import type { Preprocessing } from "../models/model.ts";

/** What a config.json beside weights says of them. */
export interface ModelConfig {
  /** timm's name, without the tag. */
  readonly architecture?: string;
  readonly options: ModelOptions;
  readonly preprocessing: Partial<Preprocessing>;
  readonly classes?: readonly string[];
  /** What people call the classes, in their order. */
  readonly descriptions?: readonly string[];
  readonly license?: string;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (v: unknown): v is Json => typeof v === "object" && v !== null && !Array.isArray(v);
const isText = (v: unknown): v is string => typeof v === "string";
const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const isNumbers = (v: unknown): v is number[] =>
  Array.isArray(v) && v.length > 0 && v.length < 64 && v.every((n) => typeof n === "number" && Number.isFinite(n));
const isTexts = (v: unknown): v is string[] => Array.isArray(v) && v.every(isText);

/** timm's layout (architecture, pretrained_cfg, label_names) or transformers' (id2label). Unknown fields are left out. */
export function parseConfig(json: unknown, where: string): ModelConfig {
  if (!isObject(json)) throw new TesseraeError("weights", "is not a JSON object", { where });
  const cfg = isObject(json.pretrained_cfg) ? json.pretrained_cfg : json;
  const classes = isTexts(json.label_names) ? json.label_names : byIndex(json.id2label);
  return {
    architecture: isText(json.architecture) ? json.architecture.split(".")[0] : undefined,
    options: optionsOf(json, cfg),
    preprocessing: preprocessingOf(cfg, where),
    classes,
    descriptions: describe(classes, json.label_descriptions),
    license: isText(cfg.license) ? cfg.license : isText(json.license) ? json.license : undefined,
  };
}

function optionsOf(json: Json, cfg: Json): ModelOptions {
  const size = cfg.input_size;
  return {
    ...(isObject(json.model_args) ? json.model_args : {}),
    ...(isCount(json.num_classes) && { num_classes: json.num_classes }),
    ...(isText(json.global_pool) &&
      ["avg", "token", "max", ""].includes(json.global_pool) && { global_pool: json.global_pool }),
    ...(isNumbers(size) && size.length === 3 && { img_size: size[1] === size[2] ? size[1] : [size[1], size[2]] }),
    ...(isNumbers(size) && size.length === 3 && size[0] !== 3 && { in_chans: size[0] }),
  } as ModelOptions;
}

function preprocessingOf(cfg: Json, where: string): Partial<Preprocessing> {
  const { mean, std, interpolation, crop_pct, crop_mode } = cfg;
  const bad = (what: string) => new TesseraeError("weights", `says ${what}, which is not read`, { where });
  if (interpolation !== undefined && interpolation !== "bicubic" && interpolation !== "bilinear")
    throw bad(`interpolation ${JSON.stringify(interpolation)}`);
  if (crop_mode !== undefined && crop_mode !== "center" && crop_mode !== "squash" && crop_mode !== "border")
    throw bad(`crop_mode ${JSON.stringify(crop_mode)}`);
  if (crop_pct !== undefined && !(typeof crop_pct === "number" && crop_pct > 0 && crop_pct <= 1))
    throw bad(`crop_pct ${JSON.stringify(crop_pct)}`);
  if (isNumbers(std) && !std.every((s) => s > 0)) throw bad(`std ${std.join(" ")}`);
  const mode = crop_mode as Preprocessing["crop_mode"];
  return {
    ...(isNumbers(mean) && { mean }),
    ...(isNumbers(std) && { std }),
    ...(interpolation !== undefined && { interpolation: interpolation as Preprocessing["interpolation"] }),
    ...(crop_pct !== undefined && { crop_pct: crop_pct as number }),
    ...(mode !== undefined && mode !== "center" && { crop_mode: mode }),
  };
}

/** {"0": "tench", ...} as a list; undefined where a number is missing. */
function byIndex(labels: unknown): string[] | undefined {
  if (!isObject(labels)) return undefined;
  const list = Object.keys(labels).map((_, i) => (Object.hasOwn(labels, String(i)) ? labels[String(i)] : undefined));
  return list.length > 0 && isTexts(list) ? list : undefined;
}

function describe(classes: readonly string[] | undefined, descriptions: unknown): string[] | undefined {
  if (!classes || !isObject(descriptions)) return undefined;
  return classes.map((name) => {
    const text = Object.hasOwn(descriptions, name) ? descriptions[name] : undefined;
    return isText(text) ? text : name;
  });
}

/** transformers' preprocessor_config.json: resampling 2 is bilinear, 3 bicubic; a size of both sides does not keep the aspect. */
export function parseImageProcessor(json: unknown): Partial<Preprocessing> {
  if (!isObject(json)) return {};
  const { image_mean: mean, image_std: std, resample, size, crop_size, do_center_crop, crop_pct } = json;
  const side = (v: unknown) => (isObject(v) ? v.height : v);
  const shortest = isObject(size) ? size.shortest_edge : undefined;
  const cropped = do_center_crop === true && isCount(shortest) && isCount(side(crop_size));
  const share = typeof crop_pct === "number" ? crop_pct : cropped ? (side(crop_size) as number) / shortest : 1;
  return {
    ...(isNumbers(mean) && { mean }),
    ...(isNumbers(std) && std.every((s) => s > 0) && { std }),
    ...((resample === 2 || resample === 3) && { interpolation: resample === 2 ? "bilinear" : "bicubic" }),
    ...(share > 0 && share <= 1 && { crop_pct: share }),
    ...(shortest === undefined && { crop_mode: "squash" as const }),
  };
}
