import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch, tesserae } from "./cli.ts";

const folder = scratch();
const page = join(folder, "walk.html");
const walk = (...args: string[]) => tesserae(["walk", ...args, "-o", page, "--threads", "1"]);

describe("tesserae walk", () => {
  it("writes a lecture in the language asked for, and names its file", async () => {
    const { code, stdout, stderr } = await walk("convmixer", "--lang", "ko", "--patch", "3");
    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: page, stderr: "" });
    const text = readFileSync(page, "utf8");
    expect(text).toContain('<html lang="ko">');
    expect(text).toContain('<section id="depthwise"');
  });

  it.each([
    [["vgg11"], /^error: vgg11 is of a family without a lecture\. .*ConvMixer/],
    [["convmixer", "--patch", "256"], /^error: convmixer has 256 patches here, from 0: there is no patch 256/],
    [["convmixer", "--patch", "-1"], /^error: /],
    [["convmixer", "--lang", "xx"], /^error: .*Allowed choices are en, ja, ko/],
    [["convmixer", "no-such-image.png"], /^error: no-such-image\.png: /],
    [["no-such-model"], /^error: /],
  ])("refuses %j in one line, without a file", async (args, message) => {
    const other = join(folder, "refused.html");
    const { code, stdout, stderr } = await tesserae(["walk", ...args, "-o", other, "--threads", "1"]);
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
    expect(existsSync(other)).toBe(false);
  });
});
