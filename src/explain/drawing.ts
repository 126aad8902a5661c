import type { PixelImage } from "../data/image.ts";

/** A picture among others: RGB, drawn `width` units wide. */
export interface Panel {
  readonly title?: string;
  readonly image: PixelImage;
  /** Keeps hard edges where it is enlarged. */
  readonly sharp?: boolean;
}

interface Described {
  readonly title: string;
  /** What is seen, in a sentence or two: also for screen readers. */
  readonly caption: string;
  /** The numbers behind the picture, as JSON. */
  readonly data: unknown;
}

/** Pictures in rows. */
export interface PanelDrawing extends Described {
  readonly kind: "panels";
  readonly columns: number;
  readonly panels: readonly Panel[];
  /** Width of a panel in pixels of the drawing. */
  readonly width: number;
}

/** A chart, as a Vega-Lite specification without data from elsewhere. */
export interface ChartDrawing extends Described {
  readonly kind: "chart";
  readonly spec: Readonly<Record<string, unknown>>;
}

/** One arrangement of the images of a map. */
export interface Arrangement {
  readonly title: string;
  /** A place for each image, any units. */
  readonly places: readonly (readonly [x: number, y: number])[];
}

/** An image on a map. */
export interface MapImage {
  readonly name: string;
  readonly image: PixelImage;
  /** Index into the map's groups. */
  readonly group: number;
}

/** Images at places of a plane, framed in the colour of their group. */
export interface MapDrawing extends Described {
  readonly kind: "map";
  readonly arrangements: readonly Arrangement[];
  readonly images: readonly MapImage[];
  readonly groups: readonly { readonly name: string; readonly color: string }[];
}

export type Drawing = PanelDrawing | ChartDrawing | MapDrawing;

/** Text inside an SVG or HTML element or attribute. */
export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** Width of a letter of a panel's title, at most. */
const LETTER = 7.4;

const shortened = (text: string, width: number): string => {
  const most = Math.floor(width / LETTER);
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
};

const GAP = 12;
const LINE = 18;
const TITLE = 34;

/**
 * Panels as SVG, pictures inside as data addresses that `address` gives (in the order of the panels).
 */
export function panelsToSvg(
  { title, caption, columns, panels, width }: PanelDrawing,
  addresses: readonly string[],
): string {
  const heightOf = ({ image }: Panel) => (width * image.height) / image.width;
  const rows = Array.from({ length: Math.ceil(panels.length / columns) }, (_, r) =>
    panels.slice(r * columns, (r + 1) * columns),
  );
  const parts: string[] = [];
  let y = TITLE;
  let at = 0;
  for (const row of rows) {
    const label = row.some((p) => p.title) ? LINE : 0;
    row.forEach((panel, c) => {
      const x = GAP + c * (width + GAP);
      const name = panel.title
        ? `<text x="${x}" y="${y + 12}" font-size="12">${escapeText(shortened(panel.title, width))}</text>`
        : "";
      const crisp = panel.sharp ? ' style="image-rendering:pixelated"' : "";
      parts.push(
        `${name}<image x="${x}" y="${y + label}" width="${width}" height="${heightOf(panel)}"${crisp} href="${addresses[at++]}"/>`,
      );
    });
    y += label + Math.max(...row.map(heightOf)) + GAP;
  }
  const all = Math.min(columns, panels.length) * (width + GAP) + GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${all} ${y}" width="${all}" height="${y}" role="img" font-family="system-ui,sans-serif" fill="#222">`,
    `<rect width="${all}" height="${y}" fill="white"/>`,
    `<title>${escapeText(title)}</title><desc>${escapeText(caption)}</desc>`,
    `<text x="${GAP}" y="22" font-size="15" font-weight="600">${escapeText(title)}</text>`,
    ...parts,
    "</svg>",
  ].join("\n");
}
