import { TesseraeError } from "../errors.ts";
import type { HostTensor } from "../weights/host-tensor.ts";

export const modelFile = "model.safetensors";
export const optimizerFile = "optimizer.safetensors";
export const manifestFile = "manifest.json";

/** What a run saves: everything that a resumed one needs to go on to the same bits. */
export interface CheckpointState {
  /** Updates done. */
  step: number;
  /** Decides which checkpoint is the best; left out (or not finite) where there was no evaluation. */
  metric?: number;
  /** Parameters and buffers, in timm's names and order. */
  model: ReadonlyMap<string, HostTensor>;
  /** All other state: moments, averages, counters. */
  optimizer: ReadonlyMap<string, HostTensor>;
  /**
   * Name or path of the checkpoint that a loss spike after this one goes back to; null: the first weights; left out:
   * this one. It is kept as long as this one is.
   */
  anchor?: string | null;
  /** Anything JSON holds: model name, options, epoch, seeds. Numbers that are not finite come back as null. */
  meta: Readonly<Record<string, unknown>>;
}

export interface CheckpointInfo {
  readonly path: string;
  readonly step: number;
  /** Grows with each save into a folder: the newest checkpoint is the one saved last, not the one of the most steps. */
  readonly sequence: number;
  readonly metric?: number;
  /** As in CheckpointState; a name. */
  readonly anchor?: string | null;
}

export interface LoadedCheckpoint extends CheckpointInfo {
  readonly model: Map<string, HostTensor>;
  readonly optimizer: Map<string, HostTensor>;
  readonly meta: Readonly<Record<string, unknown>>;
  /** One line for each newer (or better) checkpoint that was passed over because it is damaged. */
  readonly warnings: readonly string[];
}

export interface FileRecord {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface CheckpointManifest {
  readonly step: number;
  readonly sequence: number;
  readonly metric?: number;
  readonly anchor?: string | null;
  readonly files: { readonly model: FileRecord; readonly optimizer: FileRecord };
  readonly meta: Readonly<Record<string, unknown>>;
}

/** Hexadecimal SHA-256 of a text's UTF-8. */
export type TextHash = (text: string) => string;

/** Whether metric `a` is better than `b`. */
export type Better = "higher" | "lower";

const format = "tesserae-checkpoint";
const version = 1;

const folderPattern = /^checkpoint-(\d{8,})(?:-(\d+))?$/;

/** checkpoint-00000100; -2 and so on where that step has been saved before. */
export const checkpointFolder = (step: number, copy = 1): string =>
  `checkpoint-${String(step).padStart(8, "0")}${copy > 1 ? `-${copy}` : ""}`;

export const isCheckpointFolder = (name: string): boolean => folderPattern.test(name);

/** The last part of a path. */
export const checkpointName = (path: string): string => path.split(/[\\/]/).at(-1) as string;

const noChecksum = "0".repeat(64);
const checksumPattern = /("checksum": ")([0-9a-f]{64})("\n\}\n)$/;

const withChecksum = (text: string, checksum: string): string =>
  text.replace(checksumPattern, (_, before: string, __, after: string) => before + checksum + after);

/** The manifest's JSON; its last field is the hash of the whole text with zeros in that field's place. */
export function encodeManifest(manifest: CheckpointManifest, hash: TextHash): string {
  const { step, sequence, metric, anchor, files, meta } = manifest;
  const fields = {
    format,
    version,
    step,
    sequence,
    ...(Number.isFinite(metric) && { metric }),
    ...(anchor !== undefined && { anchor }),
    files: { [modelFile]: files.model, [optimizerFile]: files.optimizer },
    meta,
    checksum: noChecksum,
  };
  const text = `${JSON.stringify(fields, undefined, 2)}\n`;
  return withChecksum(text, hash(text));
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function fileRecord(value: unknown): FileRecord | undefined {
  if (!isFields(value)) return undefined;
  const { bytes, sha256 } = value;
  return isCount(bytes) && typeof sha256 === "string" ? { bytes, sha256 } : undefined;
}

/** Checks and decodes a manifest; throws TesseraeError("weights"). */
export function decodeManifest(text: string, hash: TextHash, where: string): CheckpointManifest {
  const fail = (what: string): never => {
    throw new TesseraeError("weights", what, { where });
  };
  const checksum = checksumPattern.exec(text)?.[2];
  if (checksum === undefined) return fail("not a checkpoint's manifest, or cut short");
  if (hash(withChecksum(text, noChecksum)) !== checksum) return fail("damaged: its checksum does not fit");
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return fail("not JSON");
  }
  if (!isFields(fields) || fields["format"] !== format) return fail("not a checkpoint's manifest");
  if (fields["version"] !== version)
    return fail(`written in version ${fields["version"]} of the format, this reads ${version}`);
  const { step, sequence, metric, anchor, files, meta } = fields;
  const model = isFields(files) && fileRecord(files[modelFile]);
  const optimizer = isFields(files) && fileRecord(files[optimizerFile]);
  if (!isCount(step) || !isCount(sequence) || !model || !optimizer || !isFields(meta))
    return fail("lacks a field of a checkpoint's manifest");
  if (metric !== undefined && typeof metric !== "number") return fail("has a metric that is not a number");
  if (anchor !== undefined && anchor !== null && !(typeof anchor === "string" && isCheckpointFolder(anchor)))
    return fail("has an anchor that is not a checkpoint's name");
  const optional = { ...(metric !== undefined && { metric }), ...(anchor !== undefined && { anchor }) };
  return { step, sequence, ...optional, files: { model, optimizer }, meta };
}

/** Oldest first. */
export const bySequence = (a: CheckpointInfo, b: CheckpointInfo): number =>
  a.sequence - b.sequence || a.step - b.step || (a.path < b.path ? -1 : 1);

/** Best first, of equals the earlier; those without a metric are left out. */
export function byMetric(checkpoints: readonly CheckpointInfo[], better: Better): CheckpointInfo[] {
  const sign = better === "higher" ? -1 : 1;
  return checkpoints
    .filter(({ metric }) => metric !== undefined)
    .sort((a, b) => sign * (a.metric! - b.metric!) || bySequence(a, b));
}

/**
 * Those to delete: all but the newest `history`, the best, and those that they go back to. A step saved again replaces
 * its earlier save.
 */
export function superfluous(
  checkpoints: readonly CheckpointInfo[],
  { history, better }: { history: number; better: Better },
): CheckpointInfo[] {
  const latest = new Map([...checkpoints].sort(bySequence).map((checkpoint) => [checkpoint.step, checkpoint]));
  const current = [...latest.values()].sort(bySequence);
  const kept = new Set([...current.slice(-history), ...byMetric(current, better).slice(0, 1)]);
  const anchors = new Set([...kept].map(({ anchor }) => anchor));
  return checkpoints.filter((checkpoint) => !kept.has(checkpoint) && !anchors.has(checkpointName(checkpoint.path)));
}
