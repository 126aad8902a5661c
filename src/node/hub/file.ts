import { stat } from "node:fs/promises";
import { join } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { type FileSystem, nodeFileSystem } from "../file-system.ts";
import { Changed, downloadBlob, etagOf, isEtag, type Progress } from "./blob.ts";
import { cachedCommit, cachedFile, linkBlob, makeBelow, repoCache, tagCache, withBlobLock, writeRef } from "./cache.ts";
import { type Asked, failureOf } from "./failure.ts";
import { createHttpClient, drop, type HttpClient, HubError, type Retry, retrying, usualRetry } from "./http.ts";
import { checkNames, isCommit } from "./names.ts";
import { type Environment, type HubSettings, hubSettings } from "./settings.ts";

export interface HubOptions {
  /** Branch, tag or full commit id; "main" where absent. */
  readonly revision?: string;
  readonly onProgress?: (progress: Progress) => void;
  /** Tries that failed, waiting for another process, an answer from the cache where the hub gave none. */
  readonly onWarning?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Instead of the process's: HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN, HTTPS_PROXY, ... */
  readonly env?: Environment;
  readonly fs?: FileSystem;
  readonly retry?: Retry;
}

/** What a call needs, from its options and the environment. */
export interface HubContext extends Omit<Required<HubOptions>, "onProgress" | "onWarning" | "signal" | "env"> {
  readonly settings: HubSettings;
  readonly http: HttpClient;
  readonly onProgress?: HubOptions["onProgress"];
  readonly onWarning?: HubOptions["onWarning"];
  readonly signal?: AbortSignal;
}

export function hubContext(options: HubOptions): HubContext {
  const { revision = "main", fs = nodeFileSystem, retry = usualRetry, env = process.env } = options;
  const settings = hubSettings(env);
  const { onProgress, onWarning, signal } = options;
  return { settings, http: createHttpClient(settings, env), revision, fs, retry, onProgress, onWarning, signal };
}

/**
 * Path of a file of a repository of models in the cache, downloaded where it is not there. The cache is shared with
 * Python's huggingface_hub. Where the hub cannot be reached, the file of the commit last seen is given, with a warning.
 * Throws TesseraeError("usage" | "io"); the caller's reason where `signal` was aborted.
 */
export async function hubFile(repo: string, file: string, options: HubOptions = {}): Promise<string> {
  const context = hubContext(options);
  checkNames({ repo, revision: context.revision, file });
  return fileOf(context, repo, file);
}

export async function fileOf(context: HubContext, repo: string, file: string): Promise<string> {
  const { settings, revision } = context;
  const cache = repoCache(settings.cache, repo);
  const commit = await cachedCommit(cache, revision);
  const cached = commit && (await cachedFile(cache, commit, file));
  if (cached && (isCommit(revision) || settings.offline)) return cached;
  if (settings.offline) throw notCached(repo, file, revision, "HF_HUB_OFFLINE is set");
  for (let tries = 0; ; tries++) {
    const found = await describe(context, repo, file, cached !== undefined).catch((error) => {
      if (!cached || !(error instanceof HubError) || error.status === 404) throw error;
      context.onWarning?.(`${error.message.split(". ")[0]}; using ${file} of ${repo} from the cache`);
    });
    if (!found) return cached!;
    try {
      return await obtain(context, repo, file, found);
    } catch (error) {
      if (!(error instanceof Changed)) throw error;
      if (tries === 2)
        throw new HubError(`${file} changes while it is downloaded`, { where: repo, hint: "Try again later" });
    }
  }
}

export const notCached = (repo: string, file: string, revision: string, why: string): TesseraeError =>
  new TesseraeError("io", `${why}, and the cache does not hold ${file} at revision ${revision}`, {
    where: repo,
    hint: "Download it once with a network: tesserae download",
  });

interface Found {
  readonly commit: string;
  readonly etag: string;
  readonly size?: number;
}

export const askedOf = ({ settings, revision }: HubContext, repo: string, file?: string): Asked => ({
  repo,
  revision,
  file,
  endpoint: settings.endpoint,
  hasToken: settings.token !== undefined,
});

const addressOf = ({ settings }: HubContext, repo: string, revision: string, file: string): string =>
  `${settings.endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${file.split("/").map(encodeURIComponent).join("/")}`;

/** Commit, hash and size of a file, of the hub's own answer. Not retried where the cache would do. */
async function describe(context: HubContext, repo: string, file: string, hasCached: boolean): Promise<Found> {
  const { http, signal, retry, onWarning, revision } = context;
  const url = addressOf(context, repo, revision, file);
  const ask = async (): Promise<Found> => {
    const answer = await http.send({ method: "HEAD", url, leave: false, signal });
    await drop(answer);
    const { status, header } = answer;
    if (status >= 400) throw failureOf(answer, askedOf(context, repo, file));
    const commit = header("x-repo-commit") ?? "";
    const etag = etagOf(header("x-linked-etag") ?? header("etag")) ?? "";
    if (!isCommit(commit) || !isEtag(etag))
      throw new HubError(`the answer names no commit and hash of ${file}: is this a Hugging Face Hub?`, {
        where: context.settings.endpoint,
        hint: "Check HF_ENDPOINT and the proxy",
      });
    const size = header("x-linked-size") ?? (status < 300 ? header("content-length") : undefined);
    return { commit, etag, size: size !== undefined && /^\d{1,15}$/.test(size) ? Number(size) : undefined };
  };
  return retrying(ask, { retry: hasCached ? { ...retry, times: 0 } : retry, signal, onWarning });
}

async function obtain(context: HubContext, repo: string, file: string, found: Found): Promise<string> {
  const { settings, revision, onWarning, signal } = context;
  const { commit, etag } = found;
  const cache = repoCache(settings.cache, repo);
  const cached = await cachedFile(cache, commit, file);
  if (cached) {
    await writeRef(cache, revision, commit).catch(() => {}); // a read-only cache still reads
    return cached;
  }
  await tagCache(settings.cache);
  const blob = join(await makeBelow(cache.folder, ["blobs"]), etag);
  return withBlobLock(cache, etag, { signal, onWarning }, async () => {
    if (!(await isThere(blob))) {
      // By commit: what it names does not move while it is downloaded.
      const url = addressOf(context, repo, commit, file);
      await downloadBlob({ ...context, ...askedOf(context, repo, file), ...found, file, url, blob });
    }
    await linkBlob(cache, commit, file, blob);
    await writeRef(cache, revision, commit);
    const path = await cachedFile(cache, commit, file);
    if (!path) throw notCached(repo, file, revision, "it was removed meanwhile");
    return path;
  });
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
