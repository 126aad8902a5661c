import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

// That the tables are current is checked with those of docs/models.md (test/cli/models.test.ts).
const root = new URL("../", import.meta.url);
const folder = new URL("docs/models/", root);
const pages = readdirSync(folder).filter((file) => file.endsWith(".md"));
const index = readFileSync(new URL("docs/models.md", root), "utf8");

describe.each(pages)("docs/models/%s", (page) => {
  const text = readFileSync(new URL(page, folder), "utf8");

  it("has a drawing, equations, published figures beside ours, and a way through the source", () => {
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(["Equations", "Published and counted", "How the source reads"]);
    expect(text).toMatch(/!\[Block diagram of \w+\]\(\.\.\/drawings\/\w+\.svg\)/);
    expect(text).toMatch(/<!-- published: \S+ -->\nPublished: /);
    expect(index).toContain(`(models/${page})`);
  });

  it("names files and pages that are there", () => {
    const sources = [...text.matchAll(/`(src\/\S+)`/g)].map(([, path]) => new URL(path, root));
    const links = [...text.matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, path]) => new URL(path, folder));
    expect(sources.length).toBeGreaterThan(0);
    for (const file of [...sources, ...links]) expect(existsSync(file), file.pathname).toBe(true);
  });
});
