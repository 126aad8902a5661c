import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import { compareCodePoints, type ImageDataset, type ImageSample } from "../../data/dataset.ts";
import { TesseraeError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { IMAGE_EXTENSIONS } from "../decode.ts";
import { ALL, listed, type Source } from "./source.ts";

export const isImage = (name: string): boolean => IMAGE_EXTENSIONS.includes(extname(name).slice(1).toLowerCase());

const fail = (where: string, what: string, hint?: string): TesseraeError =>
  new TesseraeError("data", what, { where, hint });

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

async function missing(dir: string): Promise<TesseraeError> {
  const wanted = basename(dir);
  const siblings = await readdir(dirname(dir)).catch(() => []);
  const [near] = nearest(wanted, siblings, 1);
  return fail(dir, "no such folder", near && `Did you mean ${join(dirname(dir), near)}?`);
}

/** Entries that are not hidden, in code-point order, with links resolved to what they lead to. */
async function entries(dir: string): Promise<{ name: string; kind: "folder" | "file" | "other"; link: boolean }[]> {
  let list: Dirent[];
  try {
    list = await readdir(dir, { withFileTypes: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new TesseraeError("data", `the folder cannot be read (${code})`, { where: dir, cause });
  }
  const shown = list.filter(({ name }) => !name.startsWith(".") && name !== "__MACOSX");
  const kinds = await Promise.all(
    shown.map(async (entry) => {
      const link = entry.isSymbolicLink();
      // A link that leads nowhere, or around in a circle, is neither.
      const what = link ? await stat(join(dir, entry.name)).catch(() => undefined) : entry;
      const kind = what?.isDirectory() ? "folder" : what?.isFile() ? "file" : "other";
      return { name: entry.name, kind, link } as const;
    }),
  );
  return kinds.sort((a, b) => compareCodePoints(a.name, b.name));
}

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(join(folder, sep));

interface ClassFiles {
  paths: string[];
  /** Extensions of files passed over -> how many. */
  other: Map<string, number>;
}

/**
 * Images of a class folder and its subfolders. A class may be a link to anywhere; inside it, links to folders are
 * followed only within the dataset or the class, and no folder is visited twice.
 */
async function classFiles(root: string, folder: string): Promise<ClassFiles> {
  const realRoot = await realpath(root);
  const realClass = await realpath(folder);
  const found: ClassFiles = { paths: [], other: new Map() };
  const visited = new Set<string>();
  if (within(realRoot, realClass)) return found;
  const folders: { path: string; files: string[] }[] = [];
  const walk = async (path: string): Promise<void> => {
    const real = await realpath(path);
    if (visited.has(real)) return;
    visited.add(real);
    const files: string[] = [];
    folders.push({ path, files });
    for (const { name, kind, link } of await entries(path)) {
      const inner = join(path, name);
      if (kind === "folder") {
        const target = link ? await realpath(inner) : undefined;
        const inside = target === undefined || within(target, realClass) || within(target, realRoot);
        if (inside && !(target && within(realClass, target))) await walk(inner);
      } else if (kind === "file" && isImage(name)) files.push(inner);
      else {
        const kindOf = extname(name).toLowerCase() || name;
        found.other.set(kindOf, (found.other.get(kindOf) ?? 0) + 1);
      }
    }
  };
  await walk(folder);
  folders.sort((a, b) => compareCodePoints(a.path, b.path));
  for (const { files } of folders) for (const path of files) found.paths.push(path);
  return found;
}

/** A folder whose subfolders are classes, as torchvision's ImageFolder reads it (names and files in code-point order). */
async function openClasses(root: string): Promise<ImageDataset> {
  const here = await entries(root);
  const classes = here.filter(({ kind }) => kind === "folder").map(({ name }) => name);
  if (classes.length === 0) {
    const loose = here.filter(({ kind, name }) => kind === "file" && isImage(name)).length;
    const what = loose > 0 ? `${count(loose, "image")} but no class folders` : "the folder is empty";
    throw fail(root, what, "Images go into one folder for each class");
  }
  const samples: ImageSample[] = [];
  const lacking: string[] = [];
  let ignored = "";
  for (const [label, name] of classes.entries()) {
    const { paths, other } = await classFiles(root, join(root, name));
    if (paths.length === 0) {
      lacking.push(name);
      if (other.size > 0) ignored ||= ` (passed over: ${listed([...other.keys()])})`;
    }
    for (const path of paths) samples.push({ path, label });
  }
  if (lacking.length > 0) {
    const what = lacking.length === 1 ? `class ${lacking[0]} has no images` : `classes without images: `;
    const names = lacking.length === 1 ? "" : listed(lacking);
    throw fail(root, what + names + ignored, `Images are files named .${IMAGE_EXTENSIONS.join(", .")}`);
  }
  if (classes.length === 1) {
    const inner = join(root, classes[0]);
    const nested = (await entries(inner)).filter(({ kind }) => kind === "folder").length > 1;
    const hint = nested ? `Did you mean ${inner}?` : "Training needs two or more";
    throw fail(root, `only one class, ${classes[0]}`, hint);
  }
  return { classes, samples, root };
}

async function hasFolders(dir: string): Promise<boolean> {
  const info = await stat(dir).catch(() => undefined);
  return info?.isDirectory() === true && (await entries(dir)).some(({ kind }) => kind === "folder");
}

/**
 * DIR/train/CLASS/* with other parts beside it (val, test...), or DIR/CLASS/*.
 * @throws TesseraeError `data` for a folder that is missing, not a folder, empty, has a class without images, or a
 * single class.
 */
export async function openFolder(dir: string): Promise<Source> {
  const root = resolve(dir);
  const info = await stat(root).catch(() => undefined);
  if (!info) throw await missing(root);
  if (!info.isDirectory()) throw fail(root, "not a folder", "Images go into one folder for each class");
  // A class may be called "train" as well: the parts are told by holding folders.
  if (!(await hasFolders(join(root, "train")))) return { splits: [ALL], open: () => openClasses(root) };
  const splits: string[] = [];
  for (const { name, kind } of await entries(root)) {
    if (kind === "folder" && (await hasFolders(join(root, name)))) splits.push(name);
  }
  return { splits, open: (split) => openClasses(join(root, split)) };
}

/** @throws TesseraeError `data` where the parts differ in classes. */
export function checkSameClasses(train: ImageDataset, val: ImageDataset): void {
  const extra = val.classes.filter((name) => !train.classes.includes(name));
  const lacking = train.classes.filter((name) => !val.classes.includes(name));
  if (extra.length + lacking.length === 0) return;
  const parts = [
    extra.length > 0 && `only in ${basename(val.root)}: ${listed(extra)}`,
    lacking.length > 0 && `only in ${basename(train.root)}: ${listed(lacking)}`,
  ].filter(Boolean);
  throw fail(val.root, `its classes differ from train's (${parts.join("; ")})`);
}
