/** ViT-Ti in TF.js on its WebAssembly backend: forward, or a whole training step. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { decays, serve, targets, VIT, vitBatch, vitWeights } from "./work.mjs";

const { dim, depth, heads, epsilon } = VIT;

function forward(w, patches, batch, tokens) {
  const linear = (x, name) => tf.matMul(x, w.get(`${name}.weight`), false, true).add(w.get(`${name}.bias`));
  const norm = (x, name) => {
    const centred = x.sub(x.mean(-1, true));
    const variance = centred.square().mean(-1, true);
    return centred
      .mul(variance.add(epsilon).rsqrt())
      .mul(w.get(`${name}.weight`))
      .add(w.get(`${name}.bias`));
  };
  const gelu = (x) => x.mul(0.5).mul(tf.erf(x.mul(Math.SQRT1_2)).add(1));
  const length = tokens + 1;
  const attention = (x, name) => {
    const qkv = linear(x, `${name}.qkv`)
      .reshape([batch, length, 3, heads, dim / heads])
      .transpose([2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(qkv);
    const scores = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(dim / heads));
    const mixed = tf.matMul(tf.softmax(scores), v).transpose([0, 2, 1, 3]);
    return linear(mixed.reshape([batch * length, dim]), `${name}.proj`);
  };
  const kernel = w.get("patch_embed.proj.weight").reshape([dim, -1]);
  const embedded = tf.matMul(patches, kernel, false, true).add(w.get("patch_embed.proj.bias"));
  const first = tf.tile(w.get("cls_token"), [batch, 1, 1]);
  let x = tf.concat([first, embedded.reshape([batch, tokens, dim])], 1).add(w.get("pos_embed"));
  x = x.reshape([batch * length, dim]);
  for (let i = 0; i < depth; i++) {
    const b = `blocks.${i}`;
    x = x.add(attention(norm(x, `${b}.norm1`), `${b}.attn`));
    x = x.add(linear(gelu(linear(norm(x, `${b}.norm2`), `${b}.mlp.fc1`)), `${b}.mlp.fc2`));
  }
  const token = norm(x, "norm").reshape([batch, length, dim]).slice([0, 0, 0], [batch, 1, dim]);
  return linear(token.reshape([batch, dim]), "head");
}

serve(async (spec) => {
  const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${join(dirname(main), "/")}`);
  setThreadsCount(spec.threads);
  await tf.setBackend("wasm");
  await tf.ready();
  const { patches, tokens, length, labels } = vitBatch(spec);
  const images = tf.tensor2d(patches, [spec.batch * tokens, length]);
  const target = tf.tensor2d(targets(spec, labels), [spec.batch, spec.numClasses]);
  const weights = new Map(
    [...vitWeights(spec)].map(([name, { shape, data }]) => [name, tf.variable(tf.tensor(data, shape), true, name)]),
  );
  const loss = () =>
    tf.neg(tf.sum(tf.mul(target, tf.logSoftmax(forward(weights, images, spec.batch, tokens))))).div(spec.batch);
  const note = "one thread: it has no more in Node";
  const value = async (scalar) => (await scalar.data())[0];
  if (spec.kind === "infer") {
    return {
      note,
      async step() {
        const scalar = tf.tidy(loss);
        const result = await value(scalar);
        scalar.dispose();
        return result;
      },
    };
  }
  const { lr, weightDecay, clipGrad } = spec.training;
  const optimizer = tf.train.adam(lr);
  return {
    note,
    async step() {
      const { value: scalar, grads } = tf.variableGrads(loss);
      const names = Object.keys(grads);
      const clipped = tf.tidy(() => {
        const norm = tf.sqrt(tf.addN(names.map((n) => tf.sum(tf.square(grads[n])))));
        const factor = tf.minimum(1, tf.div(clipGrad, norm.add(1e-6)));
        for (const [name, w] of weights) if (decays(name, w.shape)) w.assign(w.mul(1 - lr * weightDecay));
        return Object.fromEntries(names.map((n) => [n, grads[n].mul(factor)]));
      });
      optimizer.applyGradients(clipped);
      const result = await value(scalar);
      tf.dispose([scalar, grads, clipped]);
      return result;
    },
  };
});
