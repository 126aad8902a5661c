// node scripts/model-tables.mjs [--check]: the tables of docs/models.md and docs/models/, and the drawings they show, from the built
// library.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { modelPages } from "./model-pages.mjs";

const FILE = "docs/models.md";
const DRAWN = /\]\((?:\.\.\/)?(drawings\/(\S+)\.svg)\)/g;
const MARKED = /(<!-- models: (.*?) -->\n)[\s\S]*?(<!-- \/models -->)/g;

if (!existsSync("dist/index.js")) fail("dist is absent: run `npm run build` first");
const { createModel, listModels, statistics } = await import("../dist/index.js");

const rows = listModels().map((name) => {
  const model = createModel(name);
  const [, height, width] = model.inputShape;
  return { name, ...statistics(model), image: height === width ? height : `${height} x ${width}`, paper: model.paper };
});

const tabled = new Map();
const before = readFileSync(FILE, "utf8");
const after = before.replaceAll(MARKED, (_, begin, globs, end) => {
  const chosen = rows.filter(({ name }) => globs.split(" ").some((glob) => matches(glob, name)));
  if (chosen.length === 0) fail(`no model is called ${globs}`);
  for (const { name } of chosen) tabled.set(name, (tabled.get(name) ?? 0) + 1);
  return `${begin}${tableOf(chosen)}\n${end}`;
});
const wrong = rows.filter(({ name }) => tabled.get(name) !== 1).map(({ name }) => name);
if (wrong.length > 0) fail(`in no table of ${FILE}, or in two: ${wrong.join(", ")}`);
const counts = new Map();
const count = (name, options) => {
  const key = `${name} ${JSON.stringify(options)}`;
  if (!counts.has(key)) counts.set(key, statistics(createModel(name, options)));
  return counts.get(key);
};
const pages = [{ path: FILE, before, after }, ...modelPages(count, fail)];
for (const { path, before: was, after: now } of pages) {
  if (now === was) continue;
  if (process.argv.includes("--check")) fail(`${path} is not current: run \`node scripts/model-tables.mjs\``);
  writeFileSync(path, now);
}

const { architectureSvg } = await import("../dist/explain/architecture/index.js");
mkdirSync("docs/drawings", { recursive: true });
for (const [, file, name] of pages.flatMap((page) => [...page.after.matchAll(DRAWN)])) {
  const [path, svg] = [`docs/${file}`, `${architectureSvg(createModel(name))}\n`];
  if (existsSync(path) && readFileSync(path, "utf8") === svg) continue;
  if (process.argv.includes("--check")) fail(`${path} is not current: run \`node scripts/model-tables.mjs\``);
  writeFileSync(path, svg);
}

function tableOf(chosen) {
  const papers = [...new Set(chosen.map(({ paper }) => paper))].map(linked);
  const cells = chosen.map((row) =>
    [
      `\`${row.name}\``,
      row.parameters.toLocaleString("en"),
      row.gmacs.toFixed(2),
      row.activations.toFixed(2),
      row.image,
    ].join(" | "),
  );
  return [
    `Paper: ${papers.join("; ")}.`,
    "",
    "| name | parameters | GMACs | activations, M | image |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...cells.map((line) => `| ${line} |`),
  ].join("\n");
}

/** "..., arXiv:2010.11929" with the number linked. */
function linked(paper) {
  return paper.replace(/arXiv:([\d.]+\d)/, "[arXiv:$1](https://arxiv.org/abs/$1)");
}

function matches(glob, name) {
  return new RegExp(`^${glob.replaceAll("*", ".*")}$`).test(name);
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
