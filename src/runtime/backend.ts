import type { OnnxModel } from "../graph/onnx.ts";
import type { Target } from "../graph/passes/index.ts";
import type { TensorData } from "../graph/types.ts";

export type Tensors = ReadonlyMap<string, TensorData>;

export interface LoadOptions {
  /**
   * The runtime's own rewriting. Programs with constant weights gain from "all"; training programs are
   * rewritten by our passes and load faster with less. Default "all".
   */
  readonly optimization?: "all" | "extended" | "basic" | "disabled";
  /**
   * Lay out memory once for all runs, beside what the first run took: default true. Off, a program of large activations
   * takes 0.7 of the memory in the same time.
   */
  readonly memoryPlan?: boolean;
  /** Whether the program as the runtime has rewritten it is worth keeping on disk, where that is possible. Default false. */
  readonly keep?: boolean;
  /** Where the runtime writes a profile of each operator, as Chrome trace events. */
  readonly profile?: string;
}

export interface RunOptions {
  /** Inputs absent from the feeds come from here; outputs "next:NAME" and "over:NAME" go back here. */
  readonly state?: State;
  /** Name of a boolean output: where it is false, the state stays as it was. */
  readonly commit?: string;
  /** Feeds whose memory the caller gives away: they may be moved to the runtime's thread instead of copied. */
  readonly consume?: readonly string[];
}

/** Tensors that live on the device between runs: parameters, moments, averages, counters. */
export interface State {
  /** Copies to the host; all tensors, or those named. */
  read(names?: readonly string[]): Promise<Map<string, TensorData>>;
  /** Replaces tensors of the same names, types and shapes. */
  write(tensors: Tensors): Promise<void>;
  dispose(): Promise<void>;
}

/** Milliseconds, without waiting for the runtime's thread. */
export interface Timed {
  /** Of the last run. */
  readonly ms: number;
  /** Of all runs. */
  readonly spent: number;
}

/** A loaded program. */
export interface Session {
  run(feeds: Tensors, options?: RunOptions): Promise<Map<string, TensorData>>;
  /** Runs it on the inputs of a state and drops what it gives, until no other session's threads are in its way. */
  time(state: State): Promise<Timed>;
  dispose(): Promise<void>;
}

/** What runs programs: one implementation per platform. */
export interface Backend {
  /** "cpu", "webgpu"... */
  readonly device: string;
  /** What `optimize` may count on in a program for this backend. */
  readonly target?: Target;
  /** Loads ONNX bytes. Throws TesseraeError("runtime"). */
  load(model: OnnxModel, options?: LoadOptions): Promise<Session>;
  createState(tensors: Tensors): Promise<State>;
  dispose(): Promise<void>;
}
