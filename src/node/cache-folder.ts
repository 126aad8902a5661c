import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where what can be computed again is kept: TESSERAE_CACHE, or tesserae in the user's cache folder. */
export const cacheFolder = (env: Readonly<Record<string, string | undefined>> = process.env): string =>
  resolve(env.TESSERAE_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tesserae"));
