import { Command } from "commander";
import { TesseraeError } from "../../errors.ts";
import { print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface DownloadFlags {
  revision?: string;
  include?: string[];
  json?: boolean;
}

export const downloadCommand = (): CommandDefinition => ({
  example: "download timm/resnet18.a1_in1k",
  command: new Command("download")
    .description("fetch a model of the Hugging Face Hub into the cache that Hugging Face's own tools use")
    .argument("<name>", "OWNER/NAME, a timm name with its tag, or OWNER/NAME/FILE; @REVISION behind pins it")
    .option("--revision <name>", "branch, tag or commit (default: main)")
    .option("--include <glob...>", "these files instead of configuration and weights")
    .option("--json", "print path, repository, commit and licence as JSON")
    .action(run),
});

async function run(name: string, { revision, include, json }: DownloadFlags): Promise<void> {
  const { hubInfo, hubSnapshot, parseHubName, resolvePretrained } = await import("../../node/hub/index.ts");
  const { hubReporter } = await import("../hub.ts");
  const options = { revision, ...hubReporter() };
  if (!include) {
    const found = await resolvePretrained(name, options).finally(options.onProgress.close);
    if (json) printJson({ path: found.path, ...found.hub });
    else print(found.path);
    return;
  }
  const parsed = parseHubName(name);
  if (!parsed || parsed.file)
    throw new TesseraeError("usage", `"${name}" is not a model on the hub`, {
      hint: "With --include name it as timm/resnet18.a1_in1k",
    });
  const pinned = { ...options, revision: parsed.revision ?? revision };
  const { license, commit } = await hubInfo(parsed.repo, pinned);
  options.onLicense?.(license, parsed.repo);
  const { folder } = await hubSnapshot(parsed.repo, include, pinned).finally(options.onProgress.close);
  if (json) printJson({ path: folder, repo: parsed.repo, commit, license });
  else print(folder);
}
