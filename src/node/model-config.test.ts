import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuzzing } from "../../test/fuzz.ts";
import { TesseraeError } from "../errors.ts";
import { parseConfig, parseImageProcessor } from "./model-config.ts";

const KEYS = ["architecture", "num_classes", "global_pool", "model_args", "pretrained_cfg", "label_names", "id2label"];
const INNER = ["input_size", "mean", "std", "interpolation", "crop_pct", "crop_mode", "license", "__proto__"];
const PROCESSOR = ["image_mean", "image_std", "resample", "size", "crop_size", "do_center_crop", "crop_pct"];

/** Objects of the keys that are read, with any JSON behind them. */
const objects = (keys: readonly string[]) =>
  fc.dictionary(
    fc.constantFrom(...keys),
    fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom("bicubic", 0.9, [3, 8, 8])),
  );

describe("config.json, fuzzed", () => {
  it("is read, or refused in one line", () => {
    const config = fc.tuple(objects([...KEYS, ...INNER]), objects(INNER)).map(([outer, inner]) => ({
      ...outer,
      ...(outer.pretrained_cfg === undefined && { pretrained_cfg: inner }),
    }));
    fc.assert(
      fc.property(fc.oneof(config, fc.jsonValue()), objects(PROCESSOR), (json, processor) => {
        parseImageProcessor(processor);
        try {
          const { preprocessing } = parseConfig(json, "config.json");
          for (const s of preprocessing.std ?? []) expect(s).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(TesseraeError);
          expect((error as Error).message).not.toContain("\n");
        }
      }),
      fuzzing(3, { runs: 2000, seconds: 8 }),
    );
  });
});
