import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { errorCode, ioError } from "../file-system.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says about the hub; the variables and their order are those of Python's huggingface_hub. */
export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Folder of the cache. */
  readonly cache: string;
  readonly offline: boolean;
  /** Sent to the endpoint's origin only. */
  readonly token?: string;
  /** Milliseconds until the first byte of an answer, and between two of a file. */
  readonly answerTimeout: number;
  readonly idleTimeout: number;
}

const isTrue = (text: string | undefined): boolean => /^(1|on|yes|true)$/i.test(text ?? "");

/** `~`, `$NAME` and `${NAME}` in a path. */
function expand(path: string, env: Environment): string {
  const home = path.replace(/^~(?=$|[/\\])/, () => homedir());
  return home.replace(/\$(?:\{(\w+)\}|(\w+))/g, (text, braced, plain) => env[braced ?? plain] ?? text);
}

/** Throws TesseraeError("usage" | "io") where a variable cannot be what it should. */
export function hubSettings(env: Environment = process.env): HubSettings {
  const path = (text: string) => resolve(expand(text, env));
  const home = path(env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface"));
  return {
    endpoint: endpointOf(env.HF_ENDPOINT || "https://huggingface.co"),
    cache: path(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, "hub")),
    offline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    token: isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)
      ? undefined
      : tokenOf(env, path(env.HF_TOKEN_PATH || join(home, "token"))),
    answerTimeout: seconds(env, "HF_HUB_ETAG_TIMEOUT", 10),
    idleTimeout: seconds(env, "HF_HUB_DOWNLOAD_TIMEOUT", 10),
  };
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new TesseraeError("usage", "is not the address of a hub", {
      where: "HF_ENDPOINT",
      hint: "It looks like https://huggingface.co, without a user or a query",
    });
  return url.href.replace(/\/+$/, "");
}

function seconds(env: Environment, name: string, otherwise: number): number {
  const value = Number(env[name] || otherwise);
  if (!(value > 0 && value <= 86_400))
    throw new TesseraeError("usage", `"${env[name]}" is no number of seconds`, { where: name });
  return value * 1000;
}

function tokenOf(env: Environment, file: string): string | undefined {
  const set = env.HF_TOKEN ?? env.HUGGING_FACE_HUB_TOKEN;
  const token = (set ?? tokenIn(file)).trim();
  // A header takes no line breaks. What it is stays unsaid: messages end up in logs.
  if (token && !/^[\x21-\x7e]+$/.test(token))
    throw new TesseraeError("usage", "holds no token of the hub", { where: set === undefined ? file : "HF_TOKEN" });
  return token || undefined;
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return "";
    throw ioError("cannot read the token", error, { where: file });
  }
}
