import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A file of the reference material beside the checkout; the product does not need it. */
export const sharedPath = (path: string): string => fileURLToPath(new URL(`../../shared/${path}`, import.meta.url));

export const hasShared = existsSync(sharedPath("fixtures/README.md"));

/** Title of a suite that is skipped without the reference material. */
export const needsShared = (title: string): string => (hasShared ? title : `${title} (skipped: ../shared is absent)`);

export const readShared = (path: string): string => readFileSync(sharedPath(path), "utf8");
