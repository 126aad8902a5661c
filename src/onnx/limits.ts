import { TesseraeError } from "../errors.ts";

/** What a file may hold: far above any model, far below what would fill the memory. */
export const LIMITS = {
  /** Messages of any kind (nodes, attributes, tensors, names of axes). */
  messages: 1_000_000,
  /** Graphs within graphs. */
  depth: 32,
  /** Nodes read, those of functions once a call. */
  nodes: 500_000,
  functions: 1000,
  /** Values of one folded constant, and of all of them. */
  constant: 2 ** 22,
  constants: 2 ** 26,
} as const;

/** Fields that hold messages, by message: field number -> message. Wire format of onnx.proto. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: "graph", 8: "leaf", 14: "leaf", 20: "training", 25: "function", 26: "leaf" },
  training: { 1: "graph", 2: "graph", 3: "leaf", 4: "leaf" },
  graph: { 1: "node", 5: "tensor", 11: "info", 12: "info", 13: "info", 14: "annotation", 15: "sparse", 16: "leaf" },
  function: { 4: "string", 5: "string", 6: "string", 7: "node", 9: "leaf", 11: "attribute", 12: "info", 14: "leaf" },
  node: { 1: "string", 2: "string", 5: "attribute", 9: "leaf", 10: "leaf" },
  attribute: {
    5: "tensor",
    6: "graph",
    9: "string",
    10: "tensor",
    11: "graph",
    14: "type",
    15: "type",
    22: "sparse",
    23: "sparse",
  },
  tensor: { 3: "leaf", 6: "string", 13: "leaf", 16: "leaf" },
  sparse: { 1: "tensor", 2: "tensor" },
  annotation: { 2: "leaf" },
  info: { 2: "type", 4: "leaf" },
  type: { 1: "tensorType", 4: "sequence", 5: "map", 8: "tensorType", 9: "sequence", 7: "leaf" },
  sequence: { 1: "type" },
  map: { 2: "type" },
  tensorType: { 2: "shape" },
  shape: { 1: "leaf" },
  leaf: {},
  string: {},
};

const NESTED: ReadonlySet<string> = new Set(Object.keys(MESSAGES).filter((m) => Object.keys(MESSAGES[m]).length > 0));

/**
 * Counts the messages of an encoded model without decoding it, so that a small file cannot ask for gigabytes of objects.
 * Throws TesseraeError("weights") for a broken encoding or one beyond the limits.
 */
export function checkLimits(bytes: Uint8Array): void {
  let messages = 0;
  const broken = (): TesseraeError => new TesseraeError("weights", "the bytes are not an ONNX model");
  const walk = (start: number, end: number, message: string, depth: number): void => {
    if (depth > 4 * LIMITS.depth) throw new TesseraeError("weights", `graphs lie deeper than ${LIMITS.depth} levels`);
    const kinds = MESSAGES[message];
    let at = start;
    const varint = (): number => {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        if (at >= end || shift > 2 ** 63) throw broken();
        const byte = bytes[at++];
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    while (at < end) {
      const tag = varint();
      const [field, wire] = [Math.floor(tag / 8), tag % 8];
      if (wire === 0) varint();
      else if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire === 2) {
        const length = varint();
        if (length > end - at) throw broken();
        const kind = kinds[field];
        if (kind !== undefined && ++messages > LIMITS.messages)
          throw new TesseraeError("weights", `holds more than ${LIMITS.messages} parts: no model does`);
        if (kind !== undefined && length > 0 && NESTED.has(kind)) walk(at, at + length, kind, depth + 1);
        at += length;
      } else throw broken(); // groups and unknown kinds
      if (at > end) throw broken();
    }
  };
  walk(0, bytes.length, "model", 0);
}
