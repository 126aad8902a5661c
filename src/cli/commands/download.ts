import { Command } from "commander";
import { TesseraeError } from "../../errors.ts";
import type { Progress } from "../../node/hub/index.ts";
import { note, print, printJson, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";

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
  const options = { revision, onWarning: warn, onProgress: meter() };
  if (!include) {
    const found = await resolvePretrained(name, { ...options, onLicense: noteLicense }).finally(
      options.onProgress.close,
    );
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
  noteLicense(license, parsed.repo);
  const { folder } = await hubSnapshot(parsed.repo, include, pinned).finally(options.onProgress.close);
  if (json) printJson({ path: folder, repo: parsed.repo, commit, license });
  else print(folder);
}

const noteLicense = (license: string | undefined, repo: string): void =>
  note(`${repo}: ${license ? `licence ${license}` : "names no licence"}`);

/** A bar for the file that is being downloaded, in MiB; a line for each where stderr is no terminal. */
function meter() {
  let current = "";
  let bar: ReturnType<typeof createMeter> | undefined;
  const close = () => bar?.close();
  const show = ({ file, received, total }: Progress) => {
    const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 17) / 8;
    if (file !== current) {
      close();
      current = file;
      bar = createMeter(`${file} (MiB)`);
      if (!process.stderr.isTTY) note(`${file}${total === undefined ? "" : `: ${mebibytes(total)} MiB`}`);
    }
    if (total) bar?.show(mebibytes(received), mebibytes(total));
  };
  return Object.assign(show, { close });
}
