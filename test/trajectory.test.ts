import { describe, expect, it } from "vitest";
import { createOrtBackend } from "../src/node/ort.ts";
import { parseFixture } from "../src/verify/fixture.ts";
import { trajectoryModel, verifyTrajectory } from "../src/verify/verify-trajectory.ts";
import { hasShared, needsShared, readShared } from "./shared.ts";

describe.skipIf(!hasShared)(needsShared("thirty training steps along float64 PyTorch"), () => {
  it.each(["vit", "convmixer", "resnet"])(
    "%s: losses, weights, running statistics and averages",
    { timeout: 120_000 },
    async (name) => {
      const file = `fixtures/trajectory-${name}.json`;
      const fixture = parseFixture(readShared(file), file);
      if (fixture.kind !== "trajectory") throw new Error(`${file} is no trajectory`);
      const { ok, error } = await verifyTrajectory(
        trajectoryModel(fixture.figures),
        fixture.figures,
        await createOrtBackend(),
      );
      expect(ok, JSON.stringify(error)).toBe(true);
    },
  );
});
