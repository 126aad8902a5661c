import { constantValue } from "../graph/evaluate.ts";
import { defineOp } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { broadcastTo, nd, reduce } from "./ndarray.ts";

/** y = exp(x) / Σ exp(x) along one axis. */
defineOp<{ axis: number }>("Softmax", {
  type: ([x]) => x,
  vjp: ({ y: [y], dy, attrs: { axis } }) => [y.mul(dy.sub(dy.mul(y).sum([axis], true)))], // dx = y ⊙ (dy - Σ dy ⊙ y)
  evaluate: ([x], { axis }) => {
    const max = broadcastTo(reduce(x, [axis], -Infinity, Math.max), x.shape);
    const e = nd(
      x.shape,
      x.data.map((v, i) => Math.exp(v - max.data[i])),
    );
    const total = broadcastTo(
      reduce(e, [axis], 0, (a, v) => a + v),
      x.shape,
    );
    return nd(
      x.shape,
      e.data.map((v, i) => v / total.data[i]),
    );
  },
  check: [
    { x: [[3, 4]], attrs: { axis: 1 } },
    { x: [[2, 3, 2]], attrs: { axis: 1 } },
  ],
});

/** y = x - log Σ exp(x) along one axis. */
defineOp<{ axis: number }>("LogSoftmax", {
  type: ([x]) => x,
  vjp: ({ y: [y], dy, attrs: { axis } }) => [dy.sub(y.exp().mul(dy.sum([axis], true)))], // dx = dy - softmax(x) · Σ dy
  evaluate: ([x], { axis }) => {
    const max = broadcastTo(reduce(x, [axis], -Infinity, Math.max), x.shape);
    const total = broadcastTo(
      reduce(
        nd(
          x.shape,
          x.data.map((v, i) => Math.exp(v - max.data[i])),
        ),
        [axis],
        0,
        (a, v) => a + v,
      ),
      x.shape,
    );
    return nd(
      x.shape,
      x.data.map((v, i) => v - max.data[i] - Math.log(total.data[i])),
    );
  },
  check: [{ x: [[3, 4]], attrs: { axis: 1 } }],
});

const isOnes = ({ node }: Tensor): boolean => node.op === "Constant" && constantValue(node).data.every((v) => v === 1);

interface LayerNormAttrs {
  axis: number;
  epsilon: number;
}

/**
 * y = (x - mean) · invStd · scale + bias over the axes from `axis` on (Ba et al. 2016).
 * Outputs y, mean and invStd (both with the normalised axes kept as 1).
 */
defineOp<LayerNormAttrs>("LayerNormalization", {
  type: ([x], { axis }) => {
    const stat = { dtype: x.dtype, shape: x.shape.map((d, i) => (i >= axis ? 1 : d)) };
    return [x, stat, stat];
  },
  vjp: ({ x: [x, scale, bias], y: [y, mean, invStd], dy, attrs: { axis } }) => {
    const axes = [...x.shape.keys()].filter((i) => i >= axis);
    const plain = !bias && isOnes(scale);
    const hat = plain ? y : x.sub(mean).mul(invStd);
    const g = plain ? dy : dy.mul(scale);
    // dx = invStd · (g - mean(g) - x̂ · mean(g ⊙ x̂))
    const dx = g
      .sub(g.mean(axes, true))
      .sub(hat.mul(g.mul(hat).mean(axes, true)))
      .mul(invStd);
    return [dx, dy.mul(hat).sumTo(scale.shape), bias && dy.sumTo(bias.shape)];
  },
  evaluate: ([x, scale, bias], { axis, epsilon }) => {
    const axes = [...x.shape.keys()].filter((i) => i >= axis);
    const n = sizeOf(x.shape.slice(axis));
    const { shape, data: sum } = reduce(x, axes, 0, (a, v) => a + v);
    const mean = nd(
      shape,
      sum.map((v) => v / n),
    );
    const mu = broadcastTo(mean, x.shape);
    const centred = nd(
      x.shape,
      x.data.map((v, i) => v - mu.data[i]),
    );
    const invStd = nd(
      shape,
      reduce(centred, axes, 0, (a, v) => a + v * v).data.map((v) => 1 / Math.sqrt(v / n + epsilon)),
    );
    const inv = broadcastTo(invStd, x.shape);
    const [s, b] = [broadcastTo(scale, x.shape), bias && broadcastTo(bias, x.shape)];
    return [
      nd(
        x.shape,
        centred.data.map((v, i) => v * inv.data[i] * s.data[i] + (b?.data[i] ?? 0)),
      ),
      mean,
      invStd,
    ];
  },
  check: [
    { x: [[3, 5], [5], [5]], attrs: { axis: 1, epsilon: 1e-5 } },
    {
      x: [
        [2, 3, 4],
        [3, 4],
      ],
      attrs: { axis: 1, epsilon: 1e-6 },
    },
  ],
});

interface BatchNormAttrs {
  epsilon: number;
  /** 1: normalise by the batch; 0: by the given running statistics. */
  training_mode: 0 | 1;
  /** ONNX's share of the old statistics. Training graphs use 0, so that outputs 1 and 2 are the batch's own. */
  momentum?: number;
}

const perChannel = (rank: number, c: number): number[] => [1, c, ...Array<number>(rank - 2).fill(1)];

/**
 * Batch normalisation over all axes but the second (Ioffe and Szegedy 2015). Inputs x, scale, bias, mean, var [C].
 * In training, outputs 1 and 2 are momentum · given + (1 - momentum) · batch mean and (biased) variance.
 */
defineOp<BatchNormAttrs>("BatchNormalization", {
  type: ([x, scale], { training_mode }) => (training_mode ? [x, scale, scale] : [x]),
  vjp: ({ x: [x, scale, , mean, variance], y, dy, attrs: { epsilon, training_mode } }) => {
    const axes = [...x.shape.keys()].filter((i) => i !== 1);
    const shape = perChannel(x.rank, x.shape[1]);
    const [mu, v] = training_mode ? [y[1], y[2]] : [mean, variance];
    const inv = v.add(epsilon).sqrt().reciprocal();
    const centred = x.sub(mu.reshape(shape));
    const dBias = dy.sum(axes);
    const dScale = dy.mul(centred).sum(axes).mul(inv);
    const gain = scale.mul(inv);
    const scaled = dy.mul(gain.reshape(shape));
    if (!training_mode) {
      const dMean = dBias.mul(gain).neg();
      const dVar = dScale.mul(scale).mul(inv).mul(inv).mul(-0.5);
      return [scaled, dScale, dBias, dMean, dVar];
    }
    // dx = scale · invStd · (dy - mean(dy) - x̂ · mean(dy ⊙ x̂)), with x̂ = (x - mean) · invStd
    const share = gain.mul((-1 * x.shape[1]) / x.size);
    const slope = share.mul(inv).mul(dScale).reshape(shape);
    return [scaled.add(centred.mul(slope)).add(share.mul(dBias).reshape(shape)), dScale, dBias];
  },
  evaluate: ([x, scale, bias, mean, variance], { epsilon, training_mode, momentum = 0.9 }) => {
    const axes = [...x.shape.keys()].filter((i) => i !== 1);
    const shape = perChannel(x.shape.length, x.shape[1]);
    const n = sizeOf(x.shape) / x.shape[1];
    const channel = (v: Float64Array) => broadcastTo(nd(shape, v), x.shape).data;
    const mu = training_mode ? reduce(x, axes, 0, (a, v) => a + v).data.map((v) => v / n) : mean.data;
    const muX = channel(mu);
    const spread = nd(
      x.shape,
      x.data.map((v, i) => (v - muX[i]) ** 2),
    );
    const va = training_mode ? reduce(spread, axes, 0, (a, v) => a + v).data.map((v) => v / n) : variance.data;
    const [vX, sX, bX] = [channel(va), channel(scale.data), channel(bias.data)];
    const y = nd(
      x.shape,
      x.data.map((v, i) => ((v - muX[i]) / Math.sqrt(vX[i] + epsilon)) * sX[i] + bX[i]),
    );
    const blend = (old: Float64Array, now: Float64Array) =>
      nd(
        [x.shape[1]],
        now.map((v, i) => momentum * old[i] + (1 - momentum) * v),
      );
    return training_mode ? [y, blend(mean.data, mu), blend(variance.data, va)] : [y];
  },
  check: [
    { x: [[3, 2, 2, 2], [2], [2], [2], [2]], attrs: { epsilon: 1e-5, training_mode: 1, momentum: 0 }, range: [0.2, 1] },
    { x: [[5, 3], [3], [3], [3], [3]], attrs: { epsilon: 1e-5, training_mode: 1, momentum: 0 }, range: [0.2, 1] },
    { x: [[3, 2, 2], [2], [2], [2], [2]], attrs: { epsilon: 1e-5, training_mode: 0 }, range: [0.2, 1] },
  ],
});
