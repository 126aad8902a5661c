import { TesseraeError } from "../errors.ts";
import type { GraphProto, ValueInfoProto } from "../graph/onnx_pb.ts";
import { dtypeOf } from "../graph/onnx-tensor.ts";
import { isFloat, N, type Shape } from "../graph/types.ts";

/** How a file takes its images. */
export interface ImageLayout {
  /** The input's name in the file. */
  readonly name: string;
  /** [N, C, H, W], whatever the file's own order is. */
  readonly shape: Shape;
  readonly channelsLast: boolean;
  /** The file takes bytes of 0 to 255. */
  readonly bytes: boolean;
  /** The batch that the file is written for; absent where it is free. */
  readonly batch?: number;
  /** Height and width were open, and were set. */
  readonly sized: boolean;
}

const SIDE = 224;

const refuse = (what: string, hint?: string): TesseraeError => new TesseraeError("model", what, { hint });

/**
 * Finds the one input that is a batch of images, and settles its sizes: `size` = [H, W] where they are symbols. Throws
 * TesseraeError("model") where there is none, or where there are other inputs.
 */
export function imageLayout(graph: GraphProto, size?: readonly [number, number]): ImageLayout {
  const constants = new Set(graph.initializer.map((t) => t.name));
  const inputs = graph.input.filter((v) => !constants.has(v.name));
  if (inputs.length !== 1)
    throw refuse(
      `takes ${inputs.length} inputs (${inputs
        .slice(0, 4)
        .map((v) => v.name)
        .join(", ")}), not a batch of images`,
    );
  const [info] = inputs;
  const { dims, dtype } = sizesOf(info);
  if (dims.length !== 4) throw refuse(`its input ${info.name} has ${dims.length} axes; images have 4`);
  if (!isFloat(dtype) && dtype !== "uint8")
    throw refuse(`its input ${info.name} is of type ${dtype}; images are float32 or uint8`);
  const channelsLast = isLast(dims, graph, info.name);
  const [c, h, w] = channelsLast ? [dims[3], dims[1], dims[2]] : dims.slice(1);
  const sized = h === undefined || w === undefined;
  if (!sized && size && (size[0] !== h || size[1] !== w))
    throw refuse(`is made for images of ${h}x${w}, not ${size.join("x")}`, "Export it with free height and width");
  const shape = [N, c ?? 3, h ?? size?.[0] ?? SIDE, w ?? size?.[1] ?? SIDE];
  if (shape.slice(1).some((d) => !(d >= 1 && d <= 2 ** 14))) throw refuse(`takes images of [${shape.slice(1)}]`);
  return { name: info.name, shape, channelsLast, bytes: dtype === "uint8", batch: dims[0], sized };
}

/** Sizes of an input; undefined for symbols, and for 0 and -1 that old exporters write in their place. */
export function sizesOf({ name, type }: ValueInfoProto): {
  dims: (number | undefined)[];
  dtype: ReturnType<typeof dtypeOf>;
} {
  if (type?.value.case !== "tensorType") throw refuse(`its input ${name} is not a tensor`);
  const { elemType, shape } = type.value.value;
  const dims = (shape?.dim ?? []).map(({ value }) =>
    value.case === "dimValue" && value.value > 0n ? Number(value.value) : undefined,
  );
  return { dims, dtype: dtypeOf(elemType, name) };
}

/** Channels are few. Where both ends could be, or nothing is known, a file that transposes first tells. */
function isLast([, second, , last]: readonly (number | undefined)[], graph: GraphProto, name: string): boolean {
  const few = (d: number | undefined): boolean => d !== undefined && d <= 4;
  if (few(second) !== few(last)) return few(last);
  return graph.node.some(
    (n) =>
      n.opType === "Transpose" &&
      n.input[0] === name &&
      `${n.attribute.find((a) => a.name === "perm")?.ints}` === "0,3,1,2",
  );
}
