import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { type Paths, pythonScript } from "./peers.ts";

/** What a result depends on; nothing that names one machine. */
export interface Machine {
  readonly cpu: string;
  /** The widest vectors it has, where that is known: processors of one name differ, and the ratios with them. */
  readonly vectors?: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Load average of the last minute before the bench began: far below the cores on a quiet machine. */
  readonly load: number;
}

const versionOf = (folder: string, name: string): Record<string, string> => {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
    return { [name]: version };
  } catch {
    return {};
  }
};

/** Linux alone tells. */
function widestVectors(): string | undefined {
  try {
    const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(" "));
    return flags.has("avx512f") ? "AVX-512" : flags.has("avx2") ? "AVX2" : undefined;
  } catch {
    return undefined;
  }
}

export async function describeMachine(paths: Paths): Promise<Machine> {
  const { root } = paths;
  const bench = join(root, "bench");
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    vectors: widestVectors(),
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    load: Math.round(10 * loadavg()[0]) / 10,
    versions: {
      node: process.versions.node,
      ...versionOf(root, "onnxruntime-node"),
      ...versionOf(bench, "@tensorflow/tfjs-backend-wasm"),
      ...versionOf(bench, "@jax-js/jax"),
      ...(await pythonVersions(paths)),
    },
  };
}

async function pythonVersions(paths: Paths): Promise<Record<string, string>> {
  if (!paths.python) return {};
  const child = new Child({ command: paths.python, args: ["-u", pythonScript(paths, "worker")] });
  try {
    return (await child.ask({ cmd: "versions" })) as Record<string, string>;
  } catch {
    return {};
  } finally {
    await child.close();
  }
}
