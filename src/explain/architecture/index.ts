import { nodesOf } from "../../graph/walk.ts";
import type { Model } from "../../models/model.ts";
import { imageNodes, type StageRow, stageTable } from "../../models/stage-table.ts";
import { countParameters, imageInput, traceModule } from "../../models/trace.ts";
import { escapeText } from "../drawing.ts";
import { type Element, elementsOf, signature } from "./elements.ts";
import { arrowSvg, boxSvg, layout, type Placed } from "./layout.ts";

const GAP = 44;
const HEAD = 62;
/** Most diagrams beside the overview. */
const MOST = 8;

interface Diagram {
  readonly title: string;
  readonly elements: readonly Element[];
}

/**
 * The block diagram of a model as SVG, from its modules and its traced graph: on the left its stages with their shapes,
 * beside them the inside of each kind of block, and of each kind of attention in it.
 */
export function architectureSvg(model: Model): string {
  const rows = stageTable(model);
  const diagrams = diagramsOf(model, rows);
  const columns = [overview(model, rows), ...diagrams.map(titled)];
  let x = 20;
  const parts = columns.map((column) => {
    const placed = `<g transform="translate(${x} ${HEAD})">${column.svg}</g>`;
    x += column.width + GAP;
    return placed;
  });
  const millions = (countParameters(model) / 1e6).toFixed(2);
  const gmacs = rows.reduce((sum, r) => sum + r.gmacs, 0);
  const facts = `${millions} M parameters, ${gmacs.toFixed(2)} GMACs at ${model.inputShape.slice(1).join(" × ")} pixels`;
  const subtitle = `${facts}. ${model.paper}`;
  const [width, height] = [
    Math.max(x - GAP, subtitle.length * 6.5) + 20,
    HEAD + Math.max(...columns.map((c) => c.height)) + 20,
  ];
  const what = `${model.name}: ${rows.map((r) => `${r.stage}${r.depth ? ` (${r.depth} blocks)` : ""}`).join(", then ")}.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui,sans-serif" fill="#222">`,
    `<title>${escapeText(model.name)}</title><desc>${escapeText(what)}</desc>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="20" y="28" font-size="18" font-weight="600">${escapeText(model.name)}</text>`,
    `<text x="20" y="46" font-size="12">${escapeText(subtitle)}</text>`,
    ...parts,
    "</svg>",
  ].join("\n");
}

/** Inside the blocks of every stage, and the attention and other long parts inside those: each structure once. */
function diagramsOf(model: Model, rows: readonly StageRow[]): Diagram[] {
  const { output, outputs } = traceModule(model.forward, imageInput(model, 1), { training: false, source: "inputs" });
  const nodes = nodesOf([output]);
  const onImage = imageNodes(nodes);
  const found = new Map<string, Diagram>();
  const open = (path: string): void => {
    const elements = elementsOf(path, nodes, onImage);
    if (elements.length < 2 || found.has(signature(elements))) return;
    found.set(signature(elements), { title: path, elements });
    for (const e of elements)
      if (e.path !== undefined && (e.kind === "attention" || e.detail?.includes("…"))) open(e.path);
  };
  for (const row of rows) for (const path of blocksOf(row, [...outputs.keys()])) open(path);
  return [...found.values()].slice(0, MOST);
}

/** The first two blocks of a stage: every second may differ, as Swin's do. */
function blocksOf({ stage, depth }: StageRow, paths: readonly string[]): string[] {
  if (depth === undefined) return [];
  const below = paths.filter((p) => p.startsWith(`${stage}.`) && /\.[01]$/.test(p));
  const least = Math.min(...below.map((p) => p.split(".").length));
  return below.filter((p) => p.split(".").length === least);
}

function titled({ title, elements }: Diagram): Placed {
  const { width, height, svg } = layout(elements);
  const wide = Math.max(width, title.length * 7);
  const head = `<text x="${width / 2}" y="0" font-size="12" font-weight="600" text-anchor="middle">${escapeText(title)}</text>`;
  return { width: wide, height: height + 16, svg: `${head}<g transform="translate(0 14)">${svg}</g>` };
}

const BOX = { width: 252, height: 44 };
const STEP = 70;

const counted = (n: number): string => (n < 1e6 ? `${(n / 1e3).toFixed(1)} k` : `${(n / 1e6).toFixed(2)} M`);

/** A text of letters this wide, cut to fit its box. */
function cut(text: string, letter: number): string {
  const most = Math.floor((BOX.width - 12) / letter);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Stages from image to logits, with the shapes between them. */
function overview(model: Model, rows: readonly StageRow[]): Placed {
  const shape = (s: readonly number[]) => s.join(" × ");
  const parts: string[] = [];
  const middle = BOX.width / 2;
  const between = (y: number, text: string) =>
    arrowSvg(middle, y, y + STEP - BOX.height) +
    `<text x="${middle + 8}" y="${y + 17}" font-size="10" fill="#555">${escapeText(text)}</text>`;
  parts.push(boxSvg({ x: 0, y: 0, ...BOX }, { label: "image", detail: shape(model.inputShape), kind: "arithmetic" }));
  rows.forEach((row, i) => {
    const y = (i + 1) * STEP;
    const notes = [
      row.heads && `${row.heads} ${row.heads > 1 ? "heads" : "head"}`,
      ...Object.entries(row.notes).map(([k, v]) => `${k} ${v}`),
    ];
    const detail = [notes.filter(Boolean).join(", "), row.parameters > 0 && counted(row.parameters)];
    parts.push(between(y - STEP + BOX.height, i ? shape(rows[i - 1].output) : ""));
    const label = `${row.stage || "head"}${row.depth ? ` × ${row.depth}` : ""}`;
    parts.push(
      boxSvg(
        { x: 0, y, ...BOX },
        {
          label: cut(label, 6.8),
          detail: cut(detail.filter(Boolean).join("; "), 5.3),
          kind: row.heads ? "attention" : row.kernel ? "conv" : "linear",
        },
      ),
    );
  });
  const end = (rows.length + 1) * STEP;
  parts.push(
    between(end - STEP + BOX.height, ""),
    boxSvg(
      { x: 0, y: end, ...BOX },
      {
        label: model.numClasses > 0 ? "logits" : "features",
        detail: shape(rows.at(-1)?.output ?? []),
        kind: "arithmetic",
      },
    ),
  );
  return { width: BOX.width, height: end + BOX.height, svg: parts.join("\n") };
}
