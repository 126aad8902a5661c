/** ViT-Ti in jax-js on its WebAssembly device: forward, or a whole training step, both compiled by its jit. */
import { decays, serve, targets, VIT, vitBatch, vitWeights } from "./work.mjs";

// Node 20 has no navigator, of which jax-js asks the number of processors.
globalThis.navigator ??= { hardwareConcurrency: 2 };
const { defaultDevice, init, jit, nn, numpy: np, scipySpecial, valueAndGrad } = await import("@jax-js/jax");

const note = typeof Worker === "undefined" ? "one thread: in Node it has no Worker to use" : undefined;
const { dim, depth, heads, epsilon } = VIT;

/** `w(name)` gives a counted reference. Every operation consumes its arguments. */
function forward(w, patches, batch, tokens) {
  const linear = (x, name) => np.matmul(x, w(`${name}.weight`).transpose()).add(w(`${name}.bias`));
  const norm = (x, name) => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(epsilon)))
      .mul(w(`${name}.weight`))
      .add(w(`${name}.bias`));
  };
  const gelu = (x) => x.ref.mul(0.5).mul(scipySpecial.erf(x.mul(Math.SQRT1_2)).add(1));
  const length = tokens + 1;
  const attention = (x, name) => {
    const head = (i) =>
      np
        .matmul(
          x.ref,
          w(`${name}.qkv.weight`)
            .slice([i * dim, (i + 1) * dim])
            .transpose(),
        )
        .add(w(`${name}.qkv.bias`).slice([i * dim, (i + 1) * dim]))
        .reshape([batch, length, heads, dim / heads])
        .transpose([0, 2, 1, 3]);
    const [q, k, v] = [0, 1, 2].map(head);
    x.dispose();
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(dim / heads));
    const mixed = np.matmul(nn.softmax(scores, -1), v).transpose([0, 2, 1, 3]);
    return linear(mixed.reshape([batch * length, dim]), `${name}.proj`);
  };
  const kernel = w("patch_embed.proj.weight").reshape([dim, -1]).transpose();
  const embedded = np.matmul(patches, kernel).add(w("patch_embed.proj.bias")).reshape([batch, tokens, dim]);
  const first = np.tile(w("cls_token"), [batch, 1, 1]);
  let x = np
    .concatenate([first, embedded], 1)
    .add(w("pos_embed"))
    .reshape([batch * length, dim]);
  for (let i = 0; i < depth; i++) {
    const b = `blocks.${i}`;
    x = x.ref.add(attention(norm(x, `${b}.norm1`), `${b}.attn`));
    x = x.ref.add(linear(gelu(linear(norm(x, `${b}.norm2`), `${b}.mlp.fc1`)), `${b}.mlp.fc2`));
  }
  const token = norm(x, "norm").reshape([batch, length, dim]).slice([], [0, 1]);
  return linear(token.reshape([batch, dim]), "head");
}

serve(async (spec) => {
  await init();
  defaultDevice("wasm");
  const { patches, tokens, length, labels } = vitBatch(spec);
  const images = np.array(patches).reshape([spec.batch * tokens, length]);
  const target = np.array(targets(spec, labels)).reshape([spec.batch, spec.numClasses]);
  const source = vitWeights(spec);
  const names = [...source.keys()];
  let state = names.map((n) => np.array(source.get(n).data).reshape(source.get(n).shape));
  const lossOf = (all, x, y) => {
    const w = (name) => all[names.indexOf(name)].ref;
    const logits = forward(w, x, spec.batch, tokens);
    for (const t of all) t.dispose();
    return np.sum(nn.logSoftmax(logits, -1).mul(y)).mul(-1 / spec.batch);
  };
  const counted = (list) => list.map((t) => t.ref);
  if (spec.kind === "infer") {
    const compiled = jit(lossOf);
    return { note, step: async () => (await compiled(counted(state), images.ref, target.ref).data())[0] };
  }
  const { lr, weightDecay, clipGrad } = spec.training;
  const [b1, b2] = [0.9, 0.999];
  const decayOf = names.map((n) => (decays(n, source.get(n).shape) ? 1 - lr * weightDecay : 1));
  /** AdamW on the clipped gradient; c1 and c2 are 1 - βᵗ. */
  const train = jit((all, m, v, x, y, c1, c2) => {
    const [loss, grads] = valueAndGrad(lossOf)(counted(all), x, y);
    const norm = np.sqrt(grads.map((g) => np.sum(np.square(g.ref))).reduce((a, b) => a.add(b)));
    const factor = np.minimum(1, np.array(clipGrad).div(norm.add(1e-6)));
    const next = { all: [], m: [], v: [] };
    for (let i = 0; i < names.length; i++) {
      const g = grads[i].mul(factor.ref);
      const mi = m[i].mul(b1).add(g.ref.mul(1 - b1));
      const vi = v[i].mul(b2).add(np.square(g).mul(1 - b2));
      const root = np.sqrt(vi.ref.div(c2.ref)).add(1e-8);
      next.all.push(all[i].mul(decayOf[i]).sub(mi.ref.div(c1.ref).div(root).mul(lr)));
      next.m.push(mi);
      next.v.push(vi);
    }
    for (const t of [factor, c1, c2]) t.dispose();
    return [loss, next.all, next.m, next.v];
  });
  let m = state.map((t) => np.zeros(t.shape));
  let v = state.map((t) => np.zeros(t.shape));
  let step = 0;
  return {
    note,
    async step() {
      step++;
      const [c1, c2] = [1 - b1 ** step, 1 - b2 ** step].map((c) => np.array(c));
      const [loss, ...next] = train(state, m, v, images.ref, target.ref, c1, c2);
      [state, m, v] = next;
      return (await loss.data())[0];
    },
  };
});
