import { TesseraeError } from "../../errors.ts";

const COMMIT = /^[0-9a-f]{40}$/;

/** A full commit id, which names one state for ever; branches and tags move. */
export const isCommit = (revision: string): boolean => COMMIT.test(revision);

/** "name" or "owner/name" by the hub's rules: the name of a cache folder is made of it. */
export function isRepo(text: string): boolean {
  const parts = text.split("/");
  return (
    parts.length <= 2 &&
    parts.every((part) => /^\w(?:[\w.-]{0,94}\w)?$/.test(part)) &&
    !/--|\.\.|\.git$/.test(text) &&
    !["models", "datasets", "spaces", "api"].includes(parts.length === 2 ? parts[0] : "")
  );
}

/** Whether a name of the hub stays below the folder it is joined to, here and on Windows. */
const staysBelow = (path: string, most: number): boolean =>
  path.length <= most &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  !/[\\:\u0000-\u001f\u007f]/.test(path) &&
  path.split("/").every((part) => part !== "" && part !== "." && part !== "..");

export const isRevision = (text: string): boolean => staysBelow(text, 255) && !/[\s~^?*[]|@\{/.test(text);

export const isFile = (text: string): boolean => staysBelow(text, 1024);

/** Throws TesseraeError("usage") unless these are names that a hub may have, and that stay inside the cache. */
export function checkNames({ repo, revision, file }: { repo: string; revision: string; file?: string }): void {
  if (!isRepo(repo))
    throw new TesseraeError("usage", `"${repo}" is not the name of a repository`, {
      hint: "It looks like timm/resnet18.a1_in1k",
    });
  if (!isRevision(revision))
    throw new TesseraeError("usage", `"${revision}" is not a revision`, {
      where: repo,
      hint: "Name a branch, a tag or a full commit id",
    });
  if (file !== undefined && !isFile(file))
    throw new TesseraeError("io", `refused: the file name ${JSON.stringify(file)} leaves its folder`, { where: repo });
}
