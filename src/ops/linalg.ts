import { TesseraeError } from "../errors.ts";
import { defineOp } from "../graph/op.ts";
import { broadcastShapes, showShape, sizeOf, type TensorType } from "../graph/types.ts";
import { broadcastTo, matmulInto, nd, transpose, zip } from "./ndarray.ts";

function matmulType([a, b]: readonly TensorType[]): TensorType {
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  if (a.shape.length < 2 || b.shape.length < 2 || k !== k2)
    throw new TesseraeError("shape", `MatMul of ${showShape(a.shape)} and ${showShape(b.shape)}: inner sizes differ`);
  return { dtype: a.dtype, shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n] };
}

/** y = a · b, batched over the leading axes. */
defineOp("MatMul", {
  type: matmulType,
  vjp: ({ x: [a, b], dy }) => [
    dy.matmul(b.mT()).sumTo(a.shape), // dA = dY · Bᵀ
    a.mT().matmul(dy).sumTo(b.shape), // dB = Aᵀ · dY
  ],
  evaluate: ([a, b]) => {
    const { shape } = matmulType([a, b] as unknown as TensorType[]);
    const [m, k] = a.shape.slice(-2);
    const n = b.shape.at(-1) as number;
    const batch = shape.slice(0, -2);
    const [x, y, out] = [broadcastTo(a, [...batch, m, k]), broadcastTo(b, [...batch, k, n]), nd(shape)];
    for (let i = 0; i < sizeOf(batch); i++)
      matmulInto(x.data, i * m * k, y.data, i * k * n, out.data, i * m * n, m, k, n);
    return out;
  },
  macs: ([a], _attrs, [y]) => sizeOf(y.shape) * (a.shape.at(-1) as number),
  check: [
    {
      x: [
        [3, 4],
        [4, 5],
      ],
    },
    {
      x: [
        [2, 3, 4],
        [4, 5],
      ],
    },
    {
      x: [
        [2, 1, 3, 4],
        [3, 4, 2],
      ],
    },
  ],
});

interface GemmAttrs {
  transA?: 0 | 1;
  transB?: 0 | 1;
  alpha?: number;
}

/** y = alpha · op(a) · op(b) + c for matrices, c broadcast. */
defineOp<GemmAttrs>("Gemm", {
  type: ([a, b, c], { transA, transB }) => {
    if (a.shape.length !== 2 || b.shape.length !== 2) throw new TesseraeError("shape", "Gemm takes matrices");
    const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape;
    const [k2, n] = transB ? [b.shape[1], b.shape[0]] : b.shape;
    if (k !== k2)
      throw new TesseraeError("shape", `Gemm of ${showShape(a.shape)} and ${showShape(b.shape)}: inner sizes differ`);
    if (c) broadcastShapes(c.shape, [m, n]);
    return { dtype: a.dtype, shape: [m, n] };
  },
  vjp: ({ x: [a, b, c], dy, attrs: { transA = 0, transB = 0, alpha } }) => [
    // op(A)' = dY · op(B)ᵀ and op(B)' = op(A)ᵀ · dY, transposed back where op is the transpose
    transA
      ? b.gemm(dy, undefined, { alpha, transA: transB, transB: 1 })
      : dy.gemm(b, undefined, { alpha, transB: transB ? 0 : 1 }),
    transB
      ? dy.gemm(a, undefined, { alpha, transA: 1, transB: transA })
      : a.gemm(dy, undefined, { alpha, transA: transA ? 0 : 1 }),
    c && dy.sumTo(c.shape),
  ],
  evaluate: ([a, b, c], { transA, transB, alpha = 1 }) => {
    const [x, y] = [transA ? transpose(a, [1, 0]) : a, transB ? transpose(b, [1, 0]) : b];
    const [[m, k], n] = [x.shape, y.shape[1]];
    const out = nd([m, n]);
    matmulInto(
      x.data.map((v) => v * alpha),
      0,
      y.data,
      0,
      out.data,
      0,
      m,
      k,
      n,
    );
    return c ? zip((p, q) => p + q)([out, c]) : out;
  },
  macs: ([a], { transA }, [y]) => sizeOf(y.shape) * a.shape[transA ? 0 : 1],
  check: [
    { x: [[3, 4], [4, 5], [5]] },
    { x: [[3, 4], [5, 4], [5]], attrs: { transB: 1 } },
    {
      x: [
        [4, 3],
        [4, 5],
      ],
      attrs: { transA: 1, alpha: 0.5 },
    },
    {
      x: [
        [4, 3],
        [5, 4],
        [3, 1],
      ],
      attrs: { transA: 1, transB: 1 },
    },
  ],
});
