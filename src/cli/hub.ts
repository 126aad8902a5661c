import { licenseLine, type Progress, type ResolveOptions } from "../node/hub/index.ts";
import { note, warn } from "./output.ts";
import { createMeter } from "./progress.ts";

/** What a command tells of a download: the licence first, then a bar a file, in MiB, or a line where stderr is no terminal. */
export function hubReporter(): ResolveOptions & { readonly onProgress: DownloadMeter } {
  return {
    onLicense: (license, repo) => note(licenseLine(license, repo)),
    onWarning: warn,
    onProgress: downloadMeter(),
  };
}

type DownloadMeter = ((progress: Progress) => void) & { close(): void };

export function downloadMeter(): DownloadMeter {
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
