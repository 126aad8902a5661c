import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./cases.ts";
import type { ChildOptions } from "./child.ts";
import type { WorkSpec } from "./work.ts";

/** Someone else who can do the work of a case. */
export interface Peer {
  readonly name: string;
  /** Measured unless others are asked for. */
  readonly usual: boolean;
  can(c: Case, spec?: WorkSpec): boolean;
  /** Its process, or why there is none. */
  start(paths: Paths): ChildOptions | string;
  /** Sent along with "open". */
  readonly variant?: string;
  /** Milliseconds that opening and a turn may take. */
  readonly patience: number;
}

export interface Paths {
  /** Of the repository. */
  readonly root: string;
  /** The interpreter with PyTorch; absent: there is none. */
  readonly python?: string;
}

/** The compiled processes of our side. */
export const ourScript = ({ root }: Paths, name: string): string => join(root, "bench", "dist", "bench", `${name}.js`);
export const pythonScript = ({ root }: Paths, name: string): string => join(root, "bench", "python", `${name}.py`);

/** TESSERAE_BENCH_PYTHON, or the environment that bench:setup makes. */
export function findPython(root: string): string | undefined {
  const given = process.env.TESSERAE_BENCH_PYTHON;
  if (given) return given;
  const made = ["bin/python", "Scripts/python.exe"].map((p) => join(root, "bench", ".venv", p));
  return made.find((file) => existsSync(file));
}

export const NO_PYTHON = "no Python with PyTorch: run `npm run bench:setup`, or set TESSERAE_BENCH_PYTHON";
const NO_JS = "not installed: run `npm run bench:setup`";

const python = (paths: Paths): ChildOptions | string =>
  paths.python ? { command: paths.python, args: ["-u", pythonScript(paths, "worker")] } : NO_PYTHON;

const script =
  (file: string, needs: string) =>
  ({ root }: Paths): ChildOptions | string =>
    existsSync(join(root, "bench", "node_modules", needs))
      ? { command: process.execPath, args: [join(root, "bench", "js", file)] }
      : NO_JS;

const isStep = ({ kind }: Case): boolean => kind === "train" || kind === "infer";
/** The JavaScript peers have a plain ViT each, written out in bench/js. */
const isPlainVit = (c: Case, spec?: WorkSpec): boolean =>
  isStep(c) && spec?.model === "vit_tiny_patch16_224" && Object.keys(spec.options).length === 0;

export const PEERS: readonly Peer[] = [
  { name: "pytorch", usual: true, can: () => true, start: python, variant: "eager", patience: 300_000 },
  { name: "torch-compile", usual: false, can: isStep, start: python, variant: "compile", patience: 1_200_000 },
  {
    name: "timm-onnx",
    usual: true,
    can: (c) => c.kind === "infer",
    start: python,
    variant: "timm-onnx",
    patience: 300_000,
  },
  {
    name: "tfjs-wasm",
    usual: false,
    can: isPlainVit,
    start: script("tfjs.mjs", "@tensorflow/tfjs-backend-wasm"),
    patience: 600_000,
  },
  { name: "jax-js", usual: false, can: isPlainVit, start: script("jax.mjs", "@jax-js/jax"), patience: 600_000 },
];

/** The usual peers and those named. */
export const selectPeers = (more: readonly string[]): Peer[] => PEERS.filter((p) => p.usual || more.includes(p.name));
