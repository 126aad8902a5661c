import { defineOp } from "../graph/op.ts";
import { map, zip } from "./ndarray.ts";

/** x above zero, alpha·x below (Maas et al. 2013). */
defineOp<{ alpha: number }>("LeakyRelu", {
  type: ([x]) => x,
  vjp: ({ x: [x], dy, attrs: { alpha } }) => [x.less(0).where(dy.mul(alpha), dy)],
  evaluate: ([x], { alpha }) => map(x, (v) => (v < 0 ? alpha * v : v)),
  check: [{ x: [[3, 4]], attrs: { alpha: 0.1 } }],
});

/** x above zero, alpha·(exp(x) - 1) below (Clevert et al. 2015). */
defineOp<{ alpha: number }>("Elu", {
  type: ([x]) => x,
  vjp: ({ x: [x], y: [y], dy, attrs: { alpha } }) => [x.less(0).where(dy.mul(y.add(alpha)), dy)], // y + alpha = alpha·exp(x)
  evaluate: ([x], { alpha }) => map(x, (v) => (v < 0 ? alpha * Math.expm1(v) : v)),
  check: [{ x: [[3, 4]], attrs: { alpha: 0.7 } }],
});

/** x above zero, slope·x below; the slope broadcasts (He et al. 2015). */
defineOp("PRelu", {
  type: ([x]) => x,
  vjp: ({ x: [x, slope], dy }) => {
    const below = x.less(0);
    return [below.where(dy.mul(slope), dy), below.where(dy.mul(x), 0).sumTo(slope.shape)];
  },
  evaluate: (x) => zip((v, s) => (v < 0 ? s * v : v))(x),
  check: [
    {
      x: [
        [2, 3, 2, 2],
        [3, 1, 1],
      ],
    },
    { x: [[3, 4], [1]] },
  ],
});
