import { escapeText } from "../drawing.ts";

/** HTML that is safe to put into a page: made by `html` and `svg` alone. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | undefined | readonly Html[];

const show = (value: Value): string => {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  return typeof value === "object" ? value.map((h) => h.text).join("\n") : escapeText(String(value));
};

/** A template whose values are escaped unless they are HTML already. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(parts.reduce((text, part, i) => text + show(values[i - 1]) + part));

/** A picture of ours inside a page. Identifiers get a prefix of their own: two pictures on a page may use the same. */
export const picture = (svg: string, prefix: string): Html =>
  new Html(
    svg
      .replace(/\bid="([^"]+)"/g, `id="${prefix}$1"`)
      .replace(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`)
      .replace(/href="#([^"]+)"/g, `href="#${prefix}$1"`),
  );

/** A figure with its caption; a click or Enter enlarges it. `id` is the page's own. */
export const figure = (id: string, svg: string, caption: string): Html =>
  html`<figure id="${id}"><div class="plate">${picture(svg, `${id}-`)}<button type="button" class="zoom" aria-label="${`Enlarge: ${caption}`}"></button></div><figcaption>${caption}</figcaption></figure>`;

/** A table; cells of numbers go right. */
export const table = (
  header: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  caption: string,
): Html => {
  const cell = (value: string | number | undefined) =>
    html`<td${new Html(isNumber(value) ? ' class="number"' : "")}>${value ?? ""}</td>`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption><thead><tr>${header.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`;
};

const isNumber = (value: string | number | undefined): boolean => /^[-\d.,\s]+(%|k|M|G)?$/.test(String(value ?? ""));

/** Names and values. */
export const facts = (list: readonly (readonly [string, string | number | undefined])[]): Html =>
  html`<dl>${list.filter(([, v]) => v !== undefined).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: readonly Html[];
}

/** A page that stands alone: it fetches nothing, and says so to the browser. */
export const page = (title: string, lead: string, sections: readonly Section[], language = "en"): string =>
  html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${title}</title><style>${new Html(STYLE)}</style></head>
<body><header><h1>${title}</h1><p>${lead}</p>
<nav aria-label="Sections">${sections.map((s) => html`<a href="#${s.id}">${s.title}</a>`)}</nav></header>
<main>${sections.map((s) => html`<section id="${s.id}" aria-labelledby="${s.id}-title"><h2 id="${s.id}-title">${s.title}</h2>${s.body}</section>`)}</main>
<dialog aria-label="Enlarged figure"><button type="button" class="close">Close</button><div></div></dialog>
<script>${new Html(SCRIPT)}</script></body></html>
`.text;

const STYLE = `
:root{color-scheme:light dark;--text:#1c1c22;--dim:#5c5c66;--line:#d9d9e0;--page:#fff;--card:#fff;--link:#0b57d0}
@media screen and (prefers-color-scheme:dark){:root{--text:#ececf1;--dim:#a5a5b0;--line:#3a3a44;--page:#17171c;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:24px;font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--page)}
h1{margin:0}h2{margin:40px 0 12px;border-bottom:1px solid var(--line)}h3{margin:20px 0 8px;font-size:16px}
a{color:var(--link)}nav{display:flex;flex-wrap:wrap;gap:4px 16px}
figure{margin:16px 0;display:inline-block;max-width:100%;vertical-align:top}figcaption{max-width:640px;color:var(--dim);font-size:14px}
.plate{position:relative;border:1px solid var(--line);border-radius:6px;background:#fff;max-width:100%;overflow:hidden}
.plate svg{display:block;max-width:100%;height:auto}
.zoom{position:absolute;inset:0;padding:0;border:0;border-radius:6px;background:none;cursor:zoom-in}
.zoom:focus-visible{outline:3px solid var(--link);outline-offset:-3px}a:focus-visible,.close:focus-visible,.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:14px;margin:8px 0}caption{text-align:left;color:var(--dim)}
th,td{padding:3px 12px 3px 0;border-bottom:1px solid var(--line);text-align:left}.number{text-align:right;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:2px 24px;margin:8px 0}dt{color:var(--dim);font-size:13px}dd{margin:0;overflow-wrap:anywhere}
.images{display:flex;flex-wrap:wrap;gap:12px;padding:0;list-style:none}.images li{width:148px;font-size:13px;overflow-wrap:anywhere}.images img{width:148px;height:148px;object-fit:cover;border-radius:4px;display:block}
dialog{width:96vw;height:94vh;border:0;border-radius:8px;background:#fff;color:#222}dialog div{height:calc(100% - 40px);overflow:auto}dialog svg{width:100%;height:100%}
@media print{:root{color-scheme:light;--text:#000;--dim:#444}nav,dialog,.zoom{display:none}.scroll{overflow:visible}figure{break-inside:avoid-page}.plate{border:0}}
`;

const SCRIPT = `
const box=document.querySelector("dialog"),room=box.querySelector("div");
for(const b of document.querySelectorAll(".zoom"))b.addEventListener("click",()=>{room.replaceChildren(b.previousElementSibling.cloneNode(true));box.showModal()});
box.querySelector(".close").addEventListener("click",()=>box.close());
box.addEventListener("click",(e)=>{if(e.target===box)box.close()});
`;
