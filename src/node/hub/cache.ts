import { randomBytes } from "node:crypto";
import { copyFile, lstat, mkdir, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TesseraeError } from "../../errors.ts";
import { errorCode, ioError } from "../file-system.ts";
import { lockOwner, ownerName, tryLock } from "../lock-file.ts";
import { isCommit } from "./names.ts";

/**
 * One repository's part of the cache, laid out as Python's huggingface_hub lays it out:
 *
 *     models--owner--name/blobs/<etag>                 contents, by git's or SHA-256's hash
 *     models--owner--name/refs/<branch or tag>         text: the commit it stood for when last asked
 *     models--owner--name/snapshots/<commit>/<file>    relative link to a blob
 *
 * Locks lie beside it in .locks. Python's are of another kind (flock), so the two do not see each other's: neither
 * needs to, since both write to a file of their own and rename it.
 */
export interface RepoCache {
  readonly cache: string;
  readonly folder: string;
  readonly lockFolder: string;
}

export function repoCache(cache: string, repo: string): RepoCache {
  const name = ["models", ...repo.split("/")].join("--");
  return { cache, folder: join(cache, name), lockFolder: join(cache, ".locks", name) };
}

export const snapshotFolder = ({ folder }: RepoCache, commit: string): string => join(folder, "snapshots", commit);

/** The commit that a revision stands for as far as the cache knows. */
export async function cachedCommit({ folder }: RepoCache, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = await readFile(join(folder, "refs", ...revision.split("/")), "utf8").catch(() => "");
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/**
 * Path of a cached file; undefined where it is absent or its link leads nowhere. Throws TesseraeError("io") where the
 * link leads out of the cache: a snapshot of another user's making must not name any file on this machine.
 */
export async function cachedFile(repo: RepoCache, commit: string, file: string): Promise<string | undefined> {
  const path = join(snapshotFolder(repo, commit), ...file.split("/"));
  try {
    const target = await realpath(path);
    const homes = [await realpath(repo.cache), await realpath(repo.folder)];
    if (!homes.some((home) => target.startsWith(home + sep)))
      throw new TesseraeError("io", `refused: it links to ${target}, outside of the cache`, {
        where: path,
        hint: "Delete the link and download again",
      });
    return (await lstat(target)).isFile() ? path : undefined;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return undefined;
    throw ioError("cannot read the cache", error, { where: path });
  }
}

/** Makes the folders `parts` below `base`, one by one: none of them may be a link that leads elsewhere. */
export async function makeBelow(base: string, parts: readonly string[]): Promise<string> {
  let path = base;
  try {
    await mkdir(base, { recursive: true });
    for (const part of parts) {
      path = join(path, part);
      await mkdir(path).catch((error) => errorCode(error) === "EEXIST" || Promise.reject(error));
      if (!(await lstat(path)).isDirectory())
        throw new TesseraeError("io", "refused: it is no folder but a link or a file", {
          where: path,
          hint: "Delete it and try again",
        });
    }
  } catch (error) {
    throw ioError("cannot write to the cache", error, { where: path, hint: "HF_HOME or HF_HUB_CACHE moves it" });
  }
  return path;
}

/** Notes which commit a branch or tag stands for; only where that is new, as the cache may be read-only. */
export async function writeRef(repo: RepoCache, revision: string, commit: string): Promise<void> {
  if (revision === commit || (await cachedCommit(repo, revision)) === commit) return;
  const parts = ["refs", ...revision.split("/")];
  const folder = await makeBelow(repo.folder, parts.slice(0, -1));
  await appear(join(folder, parts.at(-1)!), (made) => writeFile(made, commit));
}

/** Makes a file beside and renames it, so that a reader never finds the name without all of it. */
async function appear(path: string, make: (made: string) => Promise<unknown>): Promise<void> {
  const made = join(dirname(path), `.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await make(made);
    await rename(made, path);
  } catch (error) {
    await rm(made, { force: true }).catch(() => {});
    throw ioError("cannot write to the cache", error, { where: path });
  }
}

/** Links a snapshot's file to its blob; where links cannot be made (Windows without its developer mode) copies it. */
export async function linkBlob(repo: RepoCache, commit: string, file: string, blob: string): Promise<void> {
  const parts = ["snapshots", commit, ...file.split("/")];
  const folder = await makeBelow(repo.folder, parts.slice(0, -1));
  const path = join(folder, parts.at(-1)!);
  await appear(path, (made) =>
    symlink(relative(folder, blob), made).catch((error) => {
      if (!["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(errorCode(error) ?? "")) throw error;
      return copyFile(blob, made);
    }),
  );
}

/** Tells backup tools that all this can be had again (bford.info/cachedir). */
export async function tagCache(cache: string): Promise<void> {
  await mkdir(cache, { recursive: true }).catch(() => {});
  const text = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of the Hugging Face Hub.\n";
  await writeFile(join(cache, "CACHEDIR.TAG"), text, { flag: "wx" }).catch(() => {});
}

/** Runs `action` while this process alone may write the blob; waits for another that does. */
export async function withBlobLock<T>(
  { cache, lockFolder }: RepoCache,
  etag: string,
  { signal, onWarning }: { signal?: AbortSignal; onWarning?: (line: string) => void },
  action: () => Promise<T>,
): Promise<T> {
  await makeBelow(cache, relative(cache, lockFolder).split(sep));
  const path = join(lockFolder, `${etag}.tesserae-lock`);
  const take = () => {
    try {
      return tryLock(path);
    } catch (error) {
      throw ioError("cannot lock the cache", error, { where: path });
    }
  };
  let lock = take();
  if (!lock)
    onWarning?.(`${ownerName(lockOwner(path))} is downloading the same file; waiting (if it is gone, delete ${path})`);
  for (; !lock; lock = take()) await sleep(100, undefined, { signal });
  try {
    return await action();
  } finally {
    lock.release();
  }
}
