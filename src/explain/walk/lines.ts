import { Html, html } from "../report/page.ts";
import type { Cell } from "./parts.ts";

/** Attention that is drawn as lines. */
export interface Lines extends Cell {
  /** Tokens before the patches. */
  readonly prefix: number;
  readonly heads: number;
  /** Of each layer, [heads, prefix + L, prefix + L]. */
  readonly attention: readonly Float32Array[];
  /** Names of the layers. */
  readonly layers: readonly string[];
}

type Labels = Readonly<Record<"hover" | "layer" | "head" | "all", string>>;

/** Bytes of attention that a page holds at most: above it heads are averaged, then layers left out. */
const MOST_BYTES = 3 * 2 ** 20;

interface Kept {
  readonly layers: readonly number[];
  readonly heads: number;
  /** [layer, head, query, key], shares in 255ths of the largest of their row. */
  readonly bytes: Uint8Array;
}

/** Attention among the patches, small enough for a page. */
function keep({ attention, heads, prefix }: Lines): Kept {
  const length = Math.sqrt(attention[0].length / heads);
  const patches = length - prefix;
  const each = patches * patches;
  const averaged = attention.length * heads * each > MOST_BYTES;
  const shown = averaged ? 1 : heads;
  const most = Math.max(1, Math.floor(MOST_BYTES / (shown * each)));
  const every = Math.ceil(attention.length / most);
  const layers = attention.map((_, i) => i).filter((i) => (attention.length - 1 - i) % every === 0);
  const bytes = new Uint8Array(layers.length * shown * each);
  layers.forEach((layer, l) => {
    for (let h = 0; h < shown; h++)
      for (let q = 0; q < patches; q++) {
        const share = (k: number): number => {
          const of = (head: number) => attention[layer][(head * length + prefix + q) * length + prefix + k];
          if (!averaged) return of(h);
          let sum = 0;
          for (let head = 0; head < heads; head++) sum += of(head) / heads;
          return sum;
        };
        const row = Array.from({ length: patches }, (_, k) => share(k));
        const most = Math.max(...row) || 1;
        row.forEach((v, k) => {
          bytes[((l * shown + h) * patches + q) * patches + k] = Math.round((255 * v) / most);
        });
      }
  });
  return { layers, heads: shown, bytes };
}

/** The image with its patches as buttons, and lines from the one pointed at to those it attends to. */
export function linesHtml(o: Lines, address: string, labels: Labels): Html {
  const { layers, heads, bytes } = keep(o);
  const [rows, columns] = o.grid;
  const size = 480;
  const [height, w, h] = [(size * rows) / columns, size / columns, size / columns];
  const cells = Array.from({ length: rows * columns }, (_, i) => {
    const [y, x] = [Math.floor(i / columns) * h, (i % columns) * w];
    return html`<rect tabindex="0" role="button" aria-label="${`${Math.floor(i / columns) + 1}, ${(i % columns) + 1}`}" data-i="${i}" x="${x}" y="${y}" width="${w}" height="${h}"/>`;
  });
  const options = (names: readonly string[]) => names.map((name, i) => html`<option value="${i}">${name}</option>`);
  const names = heads > 1 ? Array.from({ length: heads }, (_, i) => `${labels.head} ${i}`) : [labels.all];
  const last = layers.length - 1;
  return html`<p>${labels.hover}</p>
<p><label>${labels.layer} <select id="lines-layer">${options(layers.map((i) => o.layers[i]))}</select></label>
<label>${labels.head} <select id="lines-head">${options(names)}</select></label></p>
<svg id="lines" viewBox="0 0 ${size} ${height}" width="${size}" style="max-width:100%" role="group" aria-label="${labels.hover}">
<image href="${address}" width="${size}" height="${height}" style="image-rendering:pixelated"/><g class="cells">${cells}</g><g class="drawn" pointer-events="none"></g></svg>
<style>#lines .cells rect{fill:transparent;stroke:#ffffff55;stroke-width:.5}#lines .cells rect:focus,#lines .cells rect:hover{outline:none;stroke:#e61e1e;stroke-width:2}#lines .drawn line{stroke:#ffb000;stroke-linecap:round}</style>
<script>${new Html(script({ columns, rows, heads, w, h, last, patch: o.patch, data: toBase64(bytes) }))}</script>`;
}

const script = (of: object): string => `{
const o=${JSON.stringify(of)},n=o.rows*o.columns,raw=atob(o.data),svg=document.getElementById("lines"),drawn=svg.querySelector(".drawn");
const layer=document.getElementById("lines-layer"),head=document.getElementById("lines-head");layer.value=String(o.last);let at=o.patch;
const middle=(i)=>[(i%o.columns+.5)*o.w,(Math.floor(i/o.columns)+.5)*o.h];
const draw=()=>{drawn.replaceChildren();const start=((Number(layer.value)*o.heads+Number(head.value))*n+at)*n;const [x,y]=middle(at);
const keys=[...Array(n).keys()].sort((a,b)=>raw.charCodeAt(start+b)-raw.charCodeAt(start+a)).slice(0,24);
for(const k of keys){const v=raw.charCodeAt(start+k)/255;if(v<.04)continue;const e=document.createElementNS("http://www.w3.org/2000/svg","line");const [a,b]=middle(k);
for(const [name,value] of Object.entries({x1:x,y1:y,x2:a,y2:b,"stroke-width":.5+7*v,opacity:.25+.7*v}))e.setAttribute(name,value);drawn.append(e)}};
for(const c of svg.querySelectorAll("[data-i]"))for(const event of ["pointerenter","focus","click"])c.addEventListener(event,()=>{at=Number(c.dataset.i);draw()});
layer.addEventListener("change",draw);head.addEventListener("change",draw);draw();
}`;

/** Bytes as base64, in a browser and in Node. */
function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
