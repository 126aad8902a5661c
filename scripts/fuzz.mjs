// npm run fuzz [-- SECONDS]: every reader of foreign files is fuzzed for so long (60), each time with other seeds.
import { run } from "./install.mjs";

process.env.FUZZ_SECONDS = process.argv[2] ?? "60";
const files = ["src/weights", "src/node/model-config.test.ts", "src/node/sources", "test/onnx-bad-input.test.ts"];
run("npx", "vitest", "run", ...files, "-t", "fuzzed");
