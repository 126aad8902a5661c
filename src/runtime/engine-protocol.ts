import type { OnnxModel } from "../graph/onnx.ts";
import type { TensorData } from "../graph/types.ts";
import type { LoadOptions } from "./backend.ts";

/** What the engine's worker is asked to do. Sessions and states are known by number. */
export type EngineCall =
  | { method: "load"; model: OnnxModel; options: LoadOptions }
  | { method: "createState"; tensors: Map<string, TensorData> }
  | { method: "run"; session: number; feeds: Map<string, TensorData>; state?: number; commit?: string }
  | { method: "time"; session: number; state: number }
  | { method: "read"; state: number; names?: readonly string[] }
  | { method: "write"; state: number; tensors: Map<string, TensorData> }
  | { method: "disposeSession"; session: number }
  | { method: "disposeState"; state: number };

export interface EngineRequest {
  id: number;
  call: EngineCall;
}

/** A failure crosses the thread as the parts of its error. */
export interface EngineFailure {
  message: string;
  code?: string;
}

export type EngineReply = { id: number; result: unknown } | { id: number; error: EngineFailure };
