import type { Models } from "./model-source.ts";
import type { RunSource } from "./run-source.ts";

/** What a page shows: the same whether a server stands behind it or a folder of files. */
export interface Studio {
  readonly models: Models;
  readonly runs: RunSource;
}
