import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, describe, expect, it } from "vitest";
import { Confusion } from "../train/confusion.ts";
import { checkConfusionName, confusionCsv, perClassCsv, writeConfusion } from "./class-quality.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-classes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NAMES = ['a "quoted", one', "図\nline", "plain"];
const confusion = new Confusion(NAMES);
confusion.add(Float32Array.of(2, 1, 0, 0, 3, 1, 0, 2, 1), [0, 0, 1], 3);

describe("files of the confusion matrix", () => {
  it("are CSV that a reader of CSV reads back, whatever the names of the classes", () => {
    const [header, ...rows] = parse(confusionCsv(confusion)) as string[][];
    expect(header.slice(1)).toEqual(NAMES);
    expect(rows).toEqual(confusion.matrix.map((row, c) => [NAMES[c], ...row.map(String)]));
    const [, first, , last] = parse(perClassCsv(confusion.perClass)) as string[][];
    expect(first).toEqual([NAMES[0], "2", "50", "100", "66.6667", NAMES[1], "1"]);
    expect(last).toEqual(["plain", "0", "", "", "", "", ""]);
  });

  it("are JSON and pictures by the end of the name", async () => {
    const at = (name: string) => join(folder, name);
    for (const name of ["c.json", "c.svg", "c.png", "c.csv"]) await writeConfusion(at(name), confusion);
    expect(JSON.parse(readFileSync(at("c.json"), "utf8"))).toEqual({ classes: NAMES, counts: confusion.matrix });
    const svg = readFileSync(at("c.svg"), "utf8");
    expect(svg).toContain("plain");
    expect(svg).toContain("share of class");
    expect(readFileSync(at("c.png")).subarray(1, 4).toString()).toBe("PNG");
  });

  it("are refused before the work for other names, and pictures for too many classes", () => {
    expect(() => checkConfusionName("c.txt", 3)).toThrow(/must end in .csv/);
    expect(() => checkConfusionName("c.svg", 1000)).toThrow(/1000 classes are too many to draw/);
    expect(() => checkConfusionName("c.csv", 1000)).not.toThrow();
  });
});
