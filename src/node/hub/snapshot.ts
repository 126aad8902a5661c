import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { cachedFile, repoCache, snapshotFolder, writeRef } from "./cache.ts";
import { fileOf, type HubContext, type HubOptions, hubContext, notCached } from "./file.ts";
import { type HubInfo, infoOf } from "./info.ts";
import { checkNames } from "./names.ts";

export interface Snapshot {
  /** Folder of the commit in the cache; it may hold files of earlier calls too. */
  readonly folder: string;
  readonly commit: string;
  /** Those that match, by their names in the repository. */
  readonly files: readonly string[];
}

/**
 * All files of a repository that match one of the patterns (`*` stands for anything, slashes too, `?` for one
 * character), of one commit. A pattern of one file must be there; the others may match nothing. Throws
 * TesseraeError("usage" | "io").
 */
export async function hubSnapshot(
  repo: string,
  patterns: readonly string[] = ["*"],
  options: HubOptions = {},
): Promise<Snapshot> {
  const context = hubContext(options);
  checkNames({ repo, revision: context.revision });
  return snapshotOf(context, repo, patterns);
}

/** `info` where it is known already. */
export async function snapshotOf(
  context: HubContext,
  repo: string,
  patterns: readonly string[],
  info?: HubInfo,
): Promise<Snapshot> {
  const { settings, revision } = context;
  const cache = repoCache(settings.cache, repo);
  const { commit, files: listed } = info ?? (await infoOf(context, repo));
  const folder = snapshotFolder(cache, commit);
  const files = matching(listed?.map(({ path }) => path) ?? (await filesOf(folder)), patterns);
  const missing = patterns.find((pattern) => !/[*?]|\/$/.test(pattern) && !files.includes(pattern));
  if (missing !== undefined || files.length === 0) throw absent(context, repo, missing ?? patterns.join(", "), listed);
  for (const file of files) {
    const cached = await cachedFile(cache, commit, file);
    if (!cached) await fileOf({ ...context, revision: commit }, repo, file);
  }
  if (listed) await writeRef(cache, revision, commit).catch(() => {}); // a read-only cache still reads
  return { folder, commit, files };
}

function absent({ revision }: HubContext, repo: string, what: string, listed: unknown): TesseraeError {
  if (!listed) return notCached(repo, what, revision, "the hub is not asked");
  return new TesseraeError("io", `holds nothing like ${what} at revision ${revision}`, { where: repo });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join("/"),
    );
}

/** Those of `files` that one of the patterns stands for, in the order of `files`. */
export function matching(files: readonly string[], patterns: readonly string[]): string[] {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const parts = (pattern: string) => pattern.replace(/\/$/, "/*").split(/(\*+|\?)/);
  const source = (part: string) => (part === "?" ? "." : part.startsWith("*") ? ".*" : literal(part));
  const tests = patterns.map((pattern) => new RegExp(`^${parts(pattern).map(source).join("")}$`, "s"));
  return files.filter((file) => tests.some((test) => test.test(file)));
}
