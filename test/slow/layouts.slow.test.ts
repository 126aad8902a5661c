import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createModel } from "../../src/models/index.ts";
import { specOf } from "../../src/models/spec.ts";
import { createOrtBackend } from "../../src/node/ort.ts";
import { loadPretrained, openPretrainedFile } from "../../src/node/pretrained.ts";
import type { Backend } from "../../src/runtime/backend.ts";
import { exportOnnx } from "../../src/train/export.ts";

/** Folder that bench/python/layouts.py wrote. */
const folder = process.env.TESSERAE_LAYOUTS ?? "";
const cases = folder ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "case.json"))) : [];

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend();
});
afterAll(() => backend.dispose());

const floats = (path: string) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);

describe.skipIf(cases.length === 0)("weights in other libraries' layouts (skipped without TESSERAE_LAYOUTS)", () => {
  it.each(cases)("%s computes what that library computes", async (name) => {
    const at = (file: string) => join(folder, name, file);
    const { model: architecture, options, input } = JSON.parse(readFileSync(at("case.json"), "utf8"));
    const source = await openPretrainedFile(at(existsSync(at("weights.npz")) ? "weights.npz" : "weights.pth"));
    const model = createModel(architecture, options);
    const { weights, report } = loadPretrained(model, source);
    expect({ ...report, taken: 0, unused: [] }).toEqual({
      ...{ taken: 0, resampled: [], channels: [], freshHead: [], fresh: [], unused: [] },
    });
    const session = await backend.load(exportOnnx(model, specOf(model, []), weights));
    const image = { dtype: "float32" as const, shape: input, data: floats(at("input.bin")) };
    const ours = (await session.run(new Map([["image", image]]))).get("logits")?.data as Float32Array;
    await session.dispose();
    const theirs = floats(at("output.bin"));
    expect(ours.length).toBe(theirs.length);
    const largest = theirs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const difference = theirs.reduce((most, v, i) => Math.max(most, Math.abs(v - ours[i])), 0);
    expect(difference / largest).toBeLessThan(1e-4);
  });
});
