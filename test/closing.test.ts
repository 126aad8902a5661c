import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { scratch, tesserae } from "./cli/cli.ts";

const folder = scratch();
const library = new URL("../dist/", import.meta.url);

/** Stops this thread, so that answers of the others are waiting when it goes on. */
const WAIT = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);";

/** What a process of its own says that ends by itself; a promise that nobody would settle ends it with code 13. */
const says = async (module: string) => {
  const imports = `
    import { createEngine, createLoader, openData } from "${new URL("node/index.js", library)}";
    import { evalTransform } from "${new URL("index.js", library)}";`;
  return (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", imports + module])).stdout;
};

it("an engine with an answer under way is closed before its process ends", async () => {
  const module = `
    const engine = await createEngine({ threads: 1 });
    await engine.load({ model: new Uint8Array(3) }).catch(() => {});
    const answer = engine.load({ model: new Uint8Array(3) }).catch(({ message }) => message);
    ${WAIT}
    await engine.dispose();
    console.log(await answer);`;
  expect(await says(module)).toMatch(/^the runtime refused the program/);
});

it("an engine that builds a program is closed after that, and takes nothing more", async () => {
  const module = `
    const { createModel, exportOnnx, initialize, specOf } = await import("${new URL("index.js", library)}");
    const model = createModel("vit_base_patch16_224", { depth: 4 });
    const bytes = exportOnnx(model, specOf(model), initialize(model, 1));
    const engine = await createEngine({ threads: 1 });
    const asked = [1, 2].map(() => engine.load(bytes).then(() => "built"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = engine.dispose();
    const late = engine.load(bytes).catch(({ message }) => message);
    await closed;
    console.log((await Promise.all([...asked, late])).join());`;
  expect(await says(module)).toBe("built,built,the engine was closed\n");
});

it("a loader with batches under way is closed before its process ends", async () => {
  const shapes = join(folder, "shapes");
  expect((await tesserae(["synth", shapes, "--count", "64", "--size", "16"])).code).toBe(0);
  const module = `
    const { train: dataset } = await openData(${JSON.stringify(shapes)});
    const options = { shuffle: false, dropLast: false, seed: 1, workers: 2 };
    const loader = createLoader({ dataset, batchSize: 2, transform: evalTransform({ size: 16 }), ...options });
    for await (const batch of loader.epoch(0)) break;
    ${WAIT}
    await loader.close();
    console.log("closed");`;
  expect(await says(module)).toBe("closed\n");
});
