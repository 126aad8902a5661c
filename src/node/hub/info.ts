import { readFile } from "node:fs/promises";
import { TesseraeError } from "../../errors.ts";
import { cachedCommit, cachedFile, repoCache } from "./cache.ts";
import { failureOf } from "./failure.ts";
import { askedOf, type HubContext, type HubOptions, hubContext, notCached } from "./file.ts";
import { drop, HubError, retrying, unreachable } from "./http.ts";
import { checkNames, isCommit, isFile, isRepo } from "./names.ts";

/** What a repository of models says of itself. */
export interface HubInfo {
  readonly repo: string;
  /** The commit that the revision stands for. */
  readonly commit: string;
  /** As the repository's card names it: "apache-2.0", "mit", ...; absent where it names none. */
  readonly license?: string;
  /** Whether its authors ask for consent to terms. */
  readonly gated: boolean;
  /** Absent where only the cache was asked. Sizes in bytes. */
  readonly files?: readonly { readonly path: string; readonly size?: number }[];
}

const MOST_BYTES = 32 * 2 ** 20;

/**
 * Commit, licence and files of a repository, before anything is downloaded; offline from its card in the cache. Throws
 * TesseraeError("usage" | "io").
 */
export async function hubInfo(repo: string, options: HubOptions = {}): Promise<HubInfo> {
  const context = hubContext(options);
  checkNames({ repo, revision: context.revision });
  return infoOf(context, repo);
}

export async function infoOf(context: HubContext, repo: string): Promise<HubInfo> {
  if (context.settings.offline) {
    const info = await cachedInfo(context, repo);
    if (!info) throw notCached(repo, "anything", context.revision, "HF_HUB_OFFLINE is set");
    return info;
  }
  const known = await cachedInfo(context, repo);
  const { endpoint } = context.settings;
  const url = `${endpoint}/api/models/${repo}/revision/${encodeURIComponent(context.revision)}?blobs=true`;
  try {
    return parseInfo(repo, await getJson(context, url, repo, known !== undefined));
  } catch (error) {
    if (!known || !(error instanceof HubError) || error.status === 404) throw error;
    context.onWarning?.(`${error.message.split(". ")[0]}; using what is in the cache of ${repo}`);
    return known;
  }
}

/** Repositories of timm whose name begins with an architecture's, for a hint. */
export async function timmVariants(context: HubContext, architecture: string): Promise<string[]> {
  const { endpoint } = context.settings;
  const url = `${endpoint}/api/models?author=timm&search=${encodeURIComponent(architecture)}&limit=100`;
  const found = await getJson(context, url, "timm", true);
  const names = (Array.isArray(found) ? found : []).map((entry) => (isRecord(entry) ? entry.id : undefined));
  return names.filter(
    (name): name is string => typeof name === "string" && name.startsWith(`timm/${architecture}.`) && isRepo(name),
  );
}

async function getJson(context: HubContext, url: string, repo: string, quick: boolean): Promise<unknown> {
  const { http, signal, retry, onWarning } = context;
  const ask = async () => {
    const answer = await http.send({ method: "GET", url, leave: false, signal });
    try {
      if (answer.status !== 200) throw failureOf(answer, askedOf(context, repo));
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of answer.body) {
        chunks.push(chunk as Uint8Array);
        bytes += (chunk as Uint8Array).byteLength;
        if (bytes > MOST_BYTES) throw new HubError("the description is too long", { where: repo });
      }
      return Buffer.concat(chunks).toString("utf8");
    } catch (error) {
      throw unreachable(error, answer.url, signal);
    } finally {
      await drop(answer);
    }
  };
  const text = await retrying(ask, { retry: quick ? { ...retry, times: 0 } : retry, signal, onWarning });
  try {
    return JSON.parse(text);
  } catch {
    throw new HubError("the answer is not JSON: is this a Hugging Face Hub?", {
      where: context.settings.endpoint,
      hint: "Check HF_ENDPOINT and the proxy",
    });
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function parseInfo(repo: string, json: unknown): HubInfo {
  const found = isRecord(json) ? json : {};
  if (typeof found.sha !== "string" || !isCommit(found.sha))
    throw new HubError("the description names no commit", { where: repo });
  const siblings = Array.isArray(found.siblings) ? found.siblings.filter(isRecord) : [];
  const files = siblings.map(({ rfilename, size }) => {
    if (typeof rfilename !== "string" || !isFile(rfilename))
      throw new TesseraeError("io", `refused: the file name ${JSON.stringify(rfilename)} leaves its folder`, {
        where: repo,
      });
    return { path: rfilename, size: typeof size === "number" ? size : undefined };
  });
  const tags = Array.isArray(found.tags) ? found.tags : [];
  const tagged = tags.find((tag): tag is string => typeof tag === "string" && tag.startsWith("license:"));
  const license = licenseOf(found.cardData) ?? tagged?.slice("license:".length);
  return { repo, commit: found.sha, license, gated: Boolean(found.gated), files };
}

/** "other" has its name beside it. */
function licenseOf(card: unknown): string | undefined {
  if (!isRecord(card)) return undefined;
  const names = [card.license].flat().filter((name) => typeof name === "string");
  const name = names.join(", ") || undefined;
  const clear = name === "other" && typeof card.license_name === "string" ? card.license_name : name;
  // It is printed: no line breaks, nothing that a terminal obeys.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return clear?.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ").slice(0, 100);
}

async function cachedInfo({ settings, revision }: HubContext, repo: string): Promise<HubInfo | undefined> {
  const cache = repoCache(settings.cache, repo);
  const commit = await cachedCommit(cache, revision);
  if (!commit) return undefined;
  const card = await cachedFile(cache, commit, "README.md");
  const text = card ? await readFile(card, "utf8") : "";
  return { repo, commit, license: licenseOf(await frontMatter(text)), gated: false };
}

/** The YAML between the first two lines of dashes; undefined where there is none, or none that parses. */
async function frontMatter(text: string): Promise<unknown> {
  const [, yaml] = /^---\r?\n([\s\S]{0,100000}?)\r?\n---/.exec(text) ?? [];
  if (yaml === undefined) return undefined;
  const { parse } = await import("yaml");
  try {
    return parse(yaml, { maxAliasCount: 10 });
  } catch {
    return undefined;
  }
}
