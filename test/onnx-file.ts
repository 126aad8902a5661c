import { create, toBinary } from "@bufbuild/protobuf";
import { DATA_TYPES } from "../src/graph/onnx.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "../src/graph/onnx_pb.ts";
import { type DType, fromDoubles, sizeOf } from "../src/graph/types.ts";

type Value = number | string | readonly number[] | readonly string[] | TensorProto | GraphProto;

/** A node: operator, inputs, outputs, attributes. Floats that are whole are written as `float(1)`. */
export interface TestNode {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly attrs?: Readonly<Record<string, Value | Float>>;
  readonly domain?: string;
}

interface Float {
  readonly float: number;
}
export const float = (v: number): Float => ({ float: v });

export interface TestFile {
  readonly nodes: readonly TestNode[];
  readonly weights?: Readonly<Record<string, TensorProto>>;
  /** Default: x, float32 [N, 3, 8, 8]. */
  readonly inputs?: Readonly<Record<string, { dtype?: DType; dims: readonly (number | string)[] }>>;
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

/** A tensor of the given values, or of fixed ones between -1 and 1. */
export function tensor(shape: readonly number[], values?: readonly number[], dtype: DType = "float32"): TensorProto {
  const all = values ?? Array.from({ length: sizeOf(shape) }, (_, i) => Math.fround(Math.sin(3 * i + shape.length)));
  const data = fromDoubles(dtype, all);
  return create(TensorProtoSchema, {
    dims: shape.map(BigInt),
    dataType: DATA_TYPES[dtype],
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}

export const ints = (...values: number[]): TensorProto => tensor([values.length], values, "int64");
export const scalar = (value: number, dtype: DType = "float32"): TensorProto => tensor([], [value], dtype);

export const graphOf = ({ nodes, weights = {}, inputs, outputs = ["y"] }: TestFile): GraphProto =>
  create(GraphProtoSchema, {
    name: "test",
    node: nodes.map((n) =>
      create(NodeProtoSchema, {
        opType: n.op,
        domain: n.domain ?? "",
        name: `node of ${n.out[0]}`,
        input: [...n.in],
        output: [...n.out],
        attribute: Object.entries(n.attrs ?? {}).map(([name, value]) => attribute(name, value)),
      }),
    ),
    initializer: Object.entries(weights).map(([name, t]) => ({ ...t, name })),
    input: Object.entries(inputs ?? { x: { dims: ["n", 3, 8, 8] } }).map(([name, { dtype = "float32", dims }]) =>
      create(ValueInfoProtoSchema, {
        name,
        type: {
          value: {
            case: "tensorType",
            value: {
              elemType: DATA_TYPES[dtype],
              shape: {
                dim: dims.map((d) =>
                  typeof d === "number"
                    ? { value: { case: "dimValue" as const, value: BigInt(d) } }
                    : { value: { case: "dimParam" as const, value: d } },
                ),
              },
            },
          },
        },
      }),
    ),
    output: outputs.map((name) =>
      create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: { elemType: 1 } } } }),
    ),
  });

export const onnxFile = (file: TestFile): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        { domain: "", version: BigInt(file.opset ?? 18) },
        { domain: "com.microsoft", version: 1n },
      ],
      graph: graphOf(file),
    }),
  );

function attribute(name: string, value: Value | Float): AttributeProto {
  const make = (fields: Partial<AttributeProto>): AttributeProto =>
    create(AttributeProtoSchema, { name, ...fields } as AttributeProto);
  if (typeof value === "string") return make({ type: AttributeType.STRING, s: new TextEncoder().encode(value) });
  if (typeof value === "number")
    return Number.isInteger(value)
      ? make({ type: AttributeType.INT, i: BigInt(value) })
      : make({ type: AttributeType.FLOAT, f: value });
  if ("float" in value) return make({ type: AttributeType.FLOAT, f: (value as Float).float });
  if ("$typeName" in value)
    return value.$typeName === "onnx.TensorProto"
      ? make({ type: AttributeType.TENSOR, t: value })
      : make({ type: AttributeType.GRAPH, g: value });
  const list = value as readonly number[];
  return list.every(Number.isInteger)
    ? make({ type: AttributeType.INTS, ints: list.map(BigInt) })
    : make({ type: AttributeType.FLOATS, floats: [...list] });
}
