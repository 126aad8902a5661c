import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createModel } from "./index.ts";
import { layerGroups } from "./layer-groups.ts";

/** Runs [layers above, parameters] in state-dict order, made by bench/python/recipe_expectations.py. */
const { models } = JSON.parse(readFileSync(new URL("./layer-groups.json", import.meta.url), "utf8")) as {
  models: Record<string, [number, number][]>;
};

describe("layers of layer-wise decay are timm's", () => {
  it.each(Object.entries(models))("%s", (name, expected) => {
    const names = createModel(name).slots.flatMap((s) => (s.slot === "parameter" ? [s.name] : []));
    const { count, layer } = layerGroups(names);
    const runs: [number, number][] = [];
    for (const parameter of names) {
      const above = count - 1 - (layer.get(parameter) as number);
      const last = runs.at(-1);
      if (last?.[0] === above) last[1]++;
      else runs.push([above, 1]);
    }
    expect(runs).toEqual(expected);
  });
});
