/** From the command to the first training step, as `train` does it: node first-step.js FOLDER OUTPUT MODEL BATCH THREADS. */
import { train } from "../src/node/train.ts";
import { MARK } from "./child.ts";

const [data, output, model, batch, threads] = process.argv.slice(2);
await train({
  data,
  output,
  model,
  batchSize: Number(batch),
  threads: Number(threads),
  epochs: 1,
  onEvent: (event) => {
    if (event.type !== "step") return;
    process.stdout.write(`${MARK}${JSON.stringify({ loss: event.loss })}\n`, () => process.exit());
  },
});
