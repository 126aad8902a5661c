/** What the JavaScript peers share: weights by the parity rule, the batch, and the protocol of bench/child.ts. */
import { createInterface } from "node:readline";

function fnv1a(name) {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** The parity rule (src/verify/parity.ts) for the names of a ViT. */
function parity(name, shape) {
  const seed = fnv1a(name);
  const size = (of) => of.reduce((a, b) => a * b, 1);
  const matrix = Math.sqrt(3) / Math.sqrt(size(shape.slice(1)));
  const vector = (u) => (name.endsWith("bias") ? 0.1 * u : 1 + 0.1 * u);
  return Float32Array.from({ length: size(shape) }, (_, i) => {
    let x = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    const u = (x >>> 8) / 8388608 - 1;
    return shape.length >= 2 ? matrix * u : vector(u);
  });
}

export const VIT = { dim: 192, depth: 12, heads: 3, patch: 16, epsilon: 1e-6 };

/** timm's names of ViT-Ti's tensors: name -> { shape, data }. Linear layers are [out, in]. */
export function vitWeights({ numClasses, inputShape: [channels, height, width] }) {
  const { dim, depth, patch } = VIT;
  const tokens = (height / patch) * (width / patch) + 1;
  const linear = (name, out, inn) => [
    [`${name}.weight`, [out, inn]],
    [`${name}.bias`, [out]],
  ];
  const norm = (name) => [
    [`${name}.weight`, [dim]],
    [`${name}.bias`, [dim]],
  ];
  const block = (b) => [
    ...norm(`${b}.norm1`),
    ...linear(`${b}.attn.qkv`, 3 * dim, dim),
    ...linear(`${b}.attn.proj`, dim, dim),
    ...norm(`${b}.norm2`),
    ...linear(`${b}.mlp.fc1`, 4 * dim, dim),
    ...linear(`${b}.mlp.fc2`, dim, 4 * dim),
  ];
  const all = [
    ["cls_token", [1, 1, dim]],
    ["pos_embed", [1, tokens, dim]],
    ["patch_embed.proj.weight", [dim, channels, patch, patch]],
    ["patch_embed.proj.bias", [dim]],
    ...Array.from({ length: depth }, (_, i) => block(`blocks.${i}`)).flat(),
    ...norm("norm"),
    ...linear("head", numClasses, dim),
  ];
  return new Map(all.map(([name, shape]) => [name, { shape, data: parity(name, shape) }]));
}

/** Weight decay is of matrices alone, as timm and ours have it. */
export const decays = (name, shape) => shape.length >= 2 && name !== "cls_token" && name !== "pos_embed";

/** The batch as rows of patches [batch · patches, channels · patch²], normalised, and its labels. */
export function vitBatch({ batch, inputShape: [channels, height, width], numClasses, mean, std }) {
  const { patch } = VIT;
  const [rows, columns] = [height / patch, width / patch];
  const length = channels * patch * patch;
  const patches = new Float32Array(batch * rows * columns * length);
  let i = 0;
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, i++) {
          const value = (Math.imul(i, 0x9e3779b1) >>> 24) / 255;
          const token = (n * rows + Math.floor(y / patch)) * columns + Math.floor(x / patch);
          const at = (c * patch + (y % patch)) * patch + (x % patch);
          patches[token * length + at] = (value - mean[c]) / std[c];
        }
  const labels = Array.from({ length: batch }, (_, n) => (7 * n) % numClasses);
  return { patches, tokens: rows * columns, length, labels };
}

/** Soft targets [batch, classes] after label smoothing. */
export function targets({ numClasses, kind, training }, labels) {
  const smoothing = kind === "train" ? training.smoothing : 0;
  const soft = new Float32Array(labels.length * numClasses).fill(smoothing / numClasses);
  for (const [n, label] of labels.entries()) soft[n * numClasses + label] += 1 - smoothing;
  return soft;
}

/** Answers requests with the work that `open(spec)` makes: an object with `step()`, which resolves to the loss. */
export function serve(open) {
  const say = (reply) => process.stdout.write(`@@${JSON.stringify(reply)}\n`);
  console.log = (...args) => console.error(...args);
  let work;
  const answer = async ({ cmd, spec, repeats = 1 }) => {
    if (cmd === "open") {
      work = await open(spec);
      return { loss: await work.step(), note: work.note };
    }
    if (cmd === "cpu") {
      const { user, system } = process.cpuUsage();
      return { ms: (user + system) / 1000 };
    }
    const ms = [];
    let loss;
    for (let i = 0; i < repeats; i++) {
      const started = performance.now();
      loss = await work.step();
      ms.push(performance.now() - started);
    }
    return { ms, loss };
  };
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    try {
      say(await answer(JSON.parse(line)));
    } catch (error) {
      say({ error: String(error?.message ?? error).slice(0, 500) });
    }
  });
  lines.on("close", () => process.exit());
}
