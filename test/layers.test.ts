import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** What each folder may import from, beside itself and errors.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  graph: [],
  ops: ["graph"],
  data: ["graph"],
  weights: ["graph"],
  runtime: ["graph"],
  quantize: ["graph"],
  autodiff: ["graph", "ops"],
  nn: ["graph", "ops", "data"],
  onnx: ["graph", "ops", "nn"],
  models: ["graph", "nn", "data", "weights", "onnx"],
  optim: ["graph"],
  train: ["graph", "autodiff", "data", "models", "nn", "optim", "runtime", "weights"],
  explain: ["graph", "autodiff", "data", "models", "nn", "runtime", "weights"],
  studio: ["graph", "data", "explain", "models", "runtime", "train", "weights"],
  verify: ["graph", "autodiff", "models", "nn", "optim", "runtime", "train"],
  web: ["graph", "data", "explain", "models", "onnx", "runtime", "studio", "train", "index.ts"],
  node: [
    "graph",
    "onnx",
    "data",
    "explain",
    "models",
    "nn",
    "optim",
    "ops",
    "quantize",
    "runtime",
    "studio",
    "train",
    "verify",
    "weights",
    "index.ts",
  ],
  cli: [
    "graph",
    "data",
    "explain",
    "models",
    "nn",
    "optim",
    "quantize",
    "runtime",
    "train",
    "verify",
    "weights",
    "node",
    "index.ts",
  ],
};

/** Base files that any folder may use. */
const BASE = ["errors.ts", "globs.ts", "median.ts", "nearest.ts"];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
  (f) => f.endsWith(".ts") && !f.endsWith(".test.ts"),
);

/** Imports that exist at run time; with `types`, those of types only too. */
const importsOf = (file: string, { types = true } = {}): string[] =>
  [...sourceOf(file, types).matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path]) =>
    relative(SRC, resolve(dirname(join(SRC, file)), path)),
  );

function sourceOf(file: string, types: boolean): string {
  const text = readFileSync(join(SRC, file), "utf8");
  return types ? text : text.replace(/^(import|export) type [^;]*;/gm, "");
}

const layer = (file: string): string => file.split("/")[0];

describe("imports go one way", () => {
  it.each(Object.keys(MAY_IMPORT))("%s", (name) => {
    const allowed = new Set([name, ...BASE, ...MAY_IMPORT[name]]);
    const wrong = files
      .filter((f) => layer(f) === name)
      .flatMap((f) =>
        importsOf(f)
          .filter((i) => !allowed.has(layer(i)))
          .map((i) => `${f} -> ${i}`),
      );
    expect(wrong).toEqual([]);
  });

  it("the studio's page takes no Node code", () => {
    const page = fileURLToPath(new URL("../studio/src", import.meta.url));
    const wrong = readdirSync(page)
      .filter((f) => /\.tsx?$/.test(f))
      .flatMap((f) =>
        [...readFileSync(join(page, f), "utf8").matchAll(/from\s+"(\.[^"]+)"/g)].map(([, path]) =>
          relative(SRC, resolve(page, path)),
        ),
      )
      .filter((path) => /^(node|cli|onnx|verify)\b/.test(path));
    expect(wrong).toEqual([]);
  });

  it("every folder has its rule", () => {
    const folders = new Set(files.filter((f) => f.includes("/")).map(layer));
    expect([...folders].filter((f) => !(f in MAY_IMPORT))).toEqual([]);
  });

  it("has no cycles", () => {
    const graph = new Map(files.map((f) => [f, importsOf(f, { types: false })]));
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it("keeps files short", () => {
    const long = files.filter(
      (f) => !f.endsWith("_pb.ts") && readFileSync(join(SRC, f), "utf8").split("\n").length > 510,
    );
    expect(long).toEqual([]);
  });
});
