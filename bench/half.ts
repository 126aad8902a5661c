import "../src/ops/index.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { program } from "../src/graph/program.ts";
import { input, type Tensor } from "../src/graph/tensor.ts";
import type { DType, Shape, TensorData } from "../src/graph/types.ts";
import { median } from "../src/median.ts";
import { createOrtBackend } from "../src/node/ort.ts";

// What float16 and bfloat16 cost on this machine's processor: a chain of the same operator in each type, between two casts.
// Processor time of one thread, rounds in turn. Run: node bench/half.mjs [rounds]

interface Case {
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly chain: (inputs: readonly Tensor[]) => Tensor;
}

const times = (n: number, f: (x: Tensor) => Tensor, x: Tensor): Tensor => {
  for (let i = 0; i < n; i++) x = f(x);
  return x;
};

const CASES: Readonly<Record<string, Case>> = {
  "MatMul [3152, 192] x [192, 192], 20 times": {
    shapes: { x: [3152, 192], w: [192, 192] },
    chain: ([x, w]) => times(20, (t) => t.matmul(w), x),
  },
  "Conv 3x3 [16, 64, 28, 28], 5 times": {
    shapes: { x: [16, 64, 28, 28], w: [64, 64, 3, 3] },
    chain: ([x, w]) => times(5, (t) => t.conv(w, undefined, { pads: [1, 1, 1, 1] }), x),
  },
  "Softmax [3152, 192], 10 times": {
    shapes: { x: [3152, 192] },
    chain: ([x]) => times(10, (t) => t.softmax(), x),
  },
};

const TYPES: readonly DType[] = ["float32", "float16", "bfloat16"];

const wave = (shape: Shape): TensorData => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => 0.05 * Math.sin(i)),
});

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const rounds = Number(process.argv[2] ?? 10);
for (const [name, { shapes, chain }] of Object.entries(CASES)) {
  const feeds = new Map(Object.entries(shapes).map(([key, shape]) => [key, wave(shape)]));
  const open = async (type: DType) => {
    const inputs = Object.entries(shapes).map(([key, shape]) => input(key, "float32", shape).cast(type));
    const y = chain(inputs).cast("float32");
    return backend.load(encodeModel(program(type, new Map([["y", y]])))).catch((error: Error) => error);
  };
  const sessions = [];
  for (const type of TYPES) sessions.push({ type, session: await open(type), spent: [] as number[] });
  for (let round = -1; round < rounds; round++)
    for (const { session, spent } of sessions) {
      if (session instanceof Error) continue;
      const before = process.cpuUsage();
      await session.run(feeds);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) spent.push((user + system) / 1000);
    }
  console.log(name);
  for (const { type, session, spent } of sessions)
    console.log(
      session instanceof Error
        ? `  ${type.padEnd(8)} no: ${session.message.slice(0, 120)}`
        : `  ${type.padEnd(8)} ${median(spent).toFixed(1)} ms (least ${Math.min(...spent).toFixed(1)})`,
    );
}
await backend.dispose();
