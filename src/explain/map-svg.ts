import { escapeText, type MapDrawing } from "./drawing.ts";

/** Sides of a map and of an image on it. */
const SIDE = 460;
const TILE = 30;
const FRAME = 2;
const GAP = 12;
const TOP = 58;
const LINE = 18;
/** Groups that are named below the maps, and how wide a name is. */
const NAMED = 24;
const NAME = 154;

/** Places stretched into a square of `side`, both axes by the same factor, y upwards. */
export function fitted(
  places: readonly (readonly [number, number])[],
  side: number,
): (readonly [x: number, y: number])[] {
  const bounds = [0, 1].map((axis) => {
    const values = places.map((p) => p[axis]);
    return [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
  });
  const span = Math.max(...bounds.map(([low, high]) => high - low)) || 1;
  const [midX, midY] = bounds.map(([low, high]) => (low + high) / 2);
  return places.map(([x, y]) => [side * (0.5 + (x - midX) / span), side * (0.5 - (y - midY) / span)]);
}

/** A map as SVG; each image is in it once, as the data address that `addresses` gives in the images' order. */
export function mapToSvg(
  { title, caption, arrangements, images, groups }: MapDrawing,
  addresses: readonly string[],
): string {
  const width = GAP + arrangements.length * (SIDE + GAP);
  const columns = Math.floor((width - GAP) / NAME);
  const named = groups.slice(0, NAMED);
  const rows = Math.ceil((named.length + (groups.length > NAMED ? 1 : 0)) / columns);
  const height = TOP + SIDE + GAP + rows * LINE + GAP;
  const tiles = images.map(({ name, group }, i) => {
    const { color, name: of } = groups[group];
    return `<g id="image${i}"><title>${escapeText(`${name}: ${of}`)}</title><rect width="${TILE}" height="${TILE}" fill="${color}"/><image x="${FRAME}" y="${FRAME}" width="${TILE - 2 * FRAME}" height="${TILE - 2 * FRAME}" preserveAspectRatio="xMidYMid slice" href="${addresses[i]}"/></g>`;
  });
  const maps = arrangements.map(({ title, places }, m) => {
    const left = GAP + m * (SIDE + GAP);
    const uses = fitted(places, SIDE - TILE - 2 * FRAME).map(
      ([x, y], i) =>
        `<use href="#image${i}" x="${(left + FRAME + x).toFixed(1)}" y="${(TOP + FRAME + y).toFixed(1)}"/>`,
    );
    return `<text x="${left}" y="${TOP - 8}" font-size="12">${escapeText(title)}</text><rect x="${left}" y="${TOP}" width="${SIDE}" height="${SIDE}" fill="none" stroke="#ccc"/>${uses.join("")}`;
  });
  const entry = (text: string, color: string, i: number) => {
    const [x, y] = [GAP + (i % columns) * NAME, TOP + SIDE + GAP + Math.floor(i / columns) * LINE];
    const shown = text.length > 18 ? `${text.slice(0, 17)}…` : text;
    return `<rect x="${x}" y="${y + 2}" width="11" height="11" fill="${color}"/><text x="${x + 17}" y="${y + 12}" font-size="12">${escapeText(shown)}</text>`;
  };
  const more = groups.length - named.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui,sans-serif" fill="#222">`,
    `<title>${escapeText(title)}</title><desc>${escapeText(caption)}</desc>`,
    `<defs>${tiles.join("")}</defs>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${GAP}" y="22" font-size="15" font-weight="600">${escapeText(title)}</text>`,
    ...maps,
    ...named.map(({ name, color }, i) => entry(name, color, i)),
    ...(more > 0 ? [entry(`and ${more} more`, "none", named.length)] : []),
    "</svg>",
  ].join("\n");
}
