import { readdir, readFile } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { TesseraeError } from "../../errors.ts";

export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Where the built page lies, seen from the sources too. */
export const pageFolder = (): string => {
  const here = import.meta.url;
  return fileURLToPath(new URL(here.endsWith(".ts") ? "../../../dist/page" : "../../page", here));
};

/** The page that a server sends: all its files in memory, by the path that asks for them. Requests never name a file. */
export async function loadAssets(folder = pageFolder()): Promise<ReadonlyMap<string, Asset>> {
  const names = await readdir(folder, { recursive: true }).catch(() => {
    throw new TesseraeError("io", "the studio's page is not built", { where: folder, hint: "Run npm run build" });
  });
  const assets = new Map<string, Asset>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined || name === "static.html") continue;
    assets.set(`/${name.split(sep).join("/")}`, { type, bytes: await readFile(join(folder, name)) });
  }
  const index = assets.get("/index.html");
  if (!index)
    throw new TesseraeError("io", "the studio's page is not built", { where: folder, hint: "Run npm run build" });
  return assets.set("/", index);
}
