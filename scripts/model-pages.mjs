// The tables of docs/models/*.md: what papers and authors publish (published.csv) beside what the library counts.
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";

const FOLDER = "docs/models";
const MARKED = /(<!-- published: (\S+) -->\n)[\s\S]*?(<!-- \/published -->)/g;

/** Relative differences above which a row must say why. */
const MOST = { parameters: 0.035, macs: 0.055 };

const read = (file) => parse(readFileSync(`${FOLDER}/${file}`, "utf8"), { columns: true });

/**
 * Each page's path and its text with current tables. `count(name, options)` gives { parameters, gmacs }; `fail(message)`
 * ends.
 */
export function modelPages(count, fail) {
  const sources = new Map(read("sources.csv").map((source) => [source.table, source]));
  const rows = read("published.csv");
  const used = [];
  const pages = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".md"))
    .map((file) => {
      const path = `${FOLDER}/${file}`;
      const before = readFileSync(path, "utf8");
      const after = before.replaceAll(MARKED, (_, begin, table, end) => {
        const own = rows.filter((row) => row.table === table);
        if (own.length === 0 || !sources.has(table)) fail(`${path} asks for a table ${table} that is not published`);
        used.push(table);
        return `${begin}${tableOf(own, sources.get(table), count, fail)}\n${end}`;
      });
      return { path, before, after };
    });
  const wrong = [...sources.keys()].filter((table) => used.filter((u) => u === table).length !== 1);
  if (wrong.length > 0) fail(`on no page of ${FOLDER}, or on two: ${wrong.join(", ")}`);
  return pages;
}

/** One table, with the columns that its source has. */
function tableOf(rows, { source, link, note }, count, fail) {
  const has = (column) => rows.some((row) => row[column]);
  const columns = [
    ["as published", "---", (row) => row.as],
    ["here", "---", (row) => `\`${row.name}\``],
    ...(has("image") ? [["image", "---:", (row) => row.image]] : []),
    ...(has("parameters")
      ? [
          ["parameters, published", "---:", (row) => row.parameters],
          ["counted", "---:", (_, own) => `${(own.parameters / 1e6).toFixed(2)}M`],
        ]
      : []),
    ...(has("macs")
      ? [
          ["GMACs, published", "---:", (row) => row.macs && inGiga(row.macs)],
          ["counted", "---:", (_, own) => own.gmacs.toPrecision(3)],
        ]
      : []),
    ...(has("top1") ? [["top-1, %", "---:", (row) => row.top1]] : []),
    ...(has("trained") ? [["trained on", "---", (row) => row.trained]] : []),
  ];
  const reasons = [];
  const cells = rows.map((row) => {
    const options = { ...(row.options && JSON.parse(row.options)), ...(row.image && { img_size: Number(row.image) }) };
    const own = count(row.name, options);
    const far =
      differs(row.parameters, own.parameters / 1e6, 1e6, MOST.parameters) ||
      differs(row.macs, own.gmacs, 1e9, MOST.macs);
    if (far !== (row.why !== ""))
      fail(
        `${row.table}, ${row.as}: a reason ${far ? "is missing" : "where none is needed"} (${row.parameters} ${row.macs} published, ${own.parameters} ${own.gmacs} counted)`,
      );
    if (row.why && !reasons.includes(row.why)) reasons.push(row.why);
    const mark = row.why ? ` [${reasons.indexOf(row.why) + 1}]` : "";
    return columns.map(([, , cell], i) => `${cell(row, own)}${i === 0 ? mark : ""}`);
  });
  const line = (values) => `| ${values.join(" | ")} |`;
  return [
    `Published: [${source}](${link}). Counted: by the library, of the same architecture${note && `; ${note}`}.`,
    "",
    line(columns.map(([name]) => name)),
    line(columns.map(([, side]) => side)),
    ...cells.map(line),
    ...reasons.flatMap((why, i) => ["", `[${i + 1}] ${why}.`]),
  ].join("\n");
}

/** "569M" and "4.5G" in units; B is G. */
const number = (text, unit) =>
  Number((Number.parseFloat(text) * ({ M: 1e6, G: 1e9, B: 1e9 }[text.at(-1)] / unit)).toPrecision(6));

/** The same as it is written, in thousands of millions: "569M" is 0.569. */
const inGiga = (text) =>
  text.endsWith("M") ? number(text, 1e9) : Number.parseFloat(text).toFixed(text.split(".")[1]?.length - 1 || 0);

const differs = (text, own, unit, most) => text !== "" && Math.abs(own / number(text, unit) - 1) > most;
