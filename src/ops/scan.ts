import { evaluate } from "../graph/evaluate.ts";
import { type Body, defineOp } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../graph/types.ts";
import { nd } from "./ndarray.ts";

type ScanAttrs = {
  /** Its inputs are one entry of each scanned input, then the other inputs. */
  body: Body;
  /** Inputs along whose first axis the body walks; the others it sees whole. */
  num_scan_inputs: number;
};

/**
 * y[i] = body(x[i], whole) for each i of the first axis, in order: ONNX's Scan without state. Its values live only as long as
 * an entry is worked on, so they stay in the processor's cache. Written by the pass "fuse-elementwise".
 */
defineOp<ScanAttrs>("Scan", {
  type: ([first], { body }) => body.outputs.map(({ dtype, shape }) => ({ dtype, shape: [first.shape[0], ...shape] })),
  evaluate: (x, { body, num_scan_inputs }) => {
    const count = x[0].shape[0];
    const entries = Array.from({ length: count }, (_, i) =>
      evaluate(
        body.outputs,
        new Map(body.inputs.map((t, k) => [nameOf(t), k < num_scan_inputs ? entryOf(x[k], i) : x[k]])),
      ),
    );
    return body.outputs.map(({ shape }, k) =>
      stacked(
        entries.map((e) => e[k]),
        shape,
      ),
    );
  },
  check: [],
});

const nameOf = (t: Tensor): string => t.node.attrs.name as string;

function entryOf({ shape: [, ...shape], data }: NdArray, i: number): NdArray {
  const size = sizeOf(shape);
  return nd(shape, data.slice(i * size, (i + 1) * size));
}

function stacked(entries: readonly NdArray[], shape: Shape): NdArray {
  const out = nd([entries.length, ...shape]);
  entries.forEach(({ data }, i) => {
    out.data.set(data, i * data.length);
  });
  return out;
}
