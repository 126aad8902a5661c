import type { FitEvent } from "../train/fit.ts";
import type { Progress } from "./hub/index.ts";
import type { Machine } from "./machine.ts";
import type { TrainSettings } from "./settings/index.ts";

export interface RepeatedRun {
  readonly fingerprint?: { readonly train: string; readonly val: string };
  readonly versions?: Readonly<Record<string, string>>;
  readonly machine?: Partial<Machine>;
}

export interface TrainOptions extends Partial<TrainSettings> {
  /** An image set as `openData` opens it: a folder of classes, CIFAR, MNIST, tar shards, Parquet, a CSV list. */
  data: string;
  /** The run folder; default runs/<time>-<model>. */
  output?: string;
  /** "auto": go on with what the output holds, else start. A path: go on from that checkpoint. */
  resume?: string;
  /** What is known of the run that this one repeats: a warning tells where data or versions are others. */
  repeat?: RepeatedRun;
  onEvent?: (event: TrainEvent) => void;
  /** Bytes of a model that comes from the hub. */
  onDownload?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export type TrainEvent =
  | FitEvent
  | {
      type: "start";
      output: string;
      model: string;
      parameters: number;
      images: number;
      valImages: number;
      classes: number;
      epochs: number;
      epoch: number;
    }
  | { type: "warning"; message: string }
  /** What became of pretrained weights. */
  | { type: "note"; message: string };
