import { nodesOf } from "../graph/walk.ts";
import type { Model } from "../models/model.ts";
import type { Size } from "../nn/size.ts";
import { tracedLayers } from "./attention-layers.ts";
import type { ChartDrawing } from "./drawing.ts";
import { batchOf, type FigureContext, lacks } from "./figure.ts";
import {
  areaOf,
  blockPaths,
  composedField,
  type Depth,
  depthsOf,
  meanOverImages,
  middleOfMaps,
  middleSlope,
  spread,
} from "./receptive.ts";
import { answer, floats, type Inside, inside } from "./subject.ts";

/** The receptive field of one place of a model. */
export interface FieldAtDepth {
  readonly path: string;
  /** Position among all blocks; 0: the layer that reads the image. */
  readonly depth: number;
  /** Height and width by composition of kernels and strides, or all of the image behind attention; in pixels. */
  readonly composed?: Size;
  /** Whether it lies behind a layer in which every token asks every token. */
  readonly attends: boolean;
  /** Least part of the image that holds 95 % of the gradient's weight. */
  readonly area?: number;
}

/** Most blocks of which the gradient is taken. */
const MOST = 12;

/** What of the image a place can depend on. */
function reachOf(model: Model, of: Inside): (depth: Depth) => Pick<FieldAtDepth, "composed" | "attends"> {
  const global = tracedLayers(model, of).filter((l) => l.kind === "global");
  const everywhere = new Set(global.map(({ probs }) => probs.node));
  const image = [model.inputShape[1], model.inputShape[2]] as const;
  return ({ maps }) => {
    const attends = nodesOf([maps]).some((n) => everywhere.has(n));
    return { attends, composed: attends ? image : composedField(maps, of.image, middleOfMaps(maps)) };
  };
}

/** Composed receptive fields by depth, of a model without weights. */
export function composedByDepth(model: Model): FieldAtDepth[] {
  const of = inside(model, 1);
  const reach = reachOf(model, of);
  const paths = blockPaths(model, of);
  return depthsOf(model, of, paths).map((d) => ({ path: d.path, depth: paths.indexOf(d.path), ...reach(d) }));
}

/** The first layer, the first block, and of the others evenly. */
const measured = (paths: readonly string[]): string[] => [...paths.slice(0, 2), ...spread(paths.slice(2), MOST - 2)];

/** Composed and effective receptive fields by depth, the effective ones averaged over the pictures. Throws TesseraeError("model"). */
export async function fieldsByDepth(context: Pick<FigureContext, "pictures"> & Parameters<typeof answer>[0]) {
  const { model, pictures } = context;
  const found: FieldAtDepth[] = [];
  const result = await answer(context, batchOf(pictures), (of) => {
    const paths = blockPaths(model, of);
    const depths = depthsOf(model, of, measured(paths));
    if (depths.length === 0) throw lacks(model, "no feature maps whose receptive field could be drawn");
    const reach = reachOf(model, of);
    for (const d of depths) found.push({ path: d.path, depth: paths.indexOf(d.path), ...reach(d) });
    return new Map(depths.map((d) => [d.path, middleSlope(d, of.image)]));
  });
  return found.map((f) => ({ ...f, area: areaOf(meanOverImages(floats(result, f.path), pictures.length)) }));
}

/** A line of the chart: side in pixels by depth. */
export interface DepthSeries {
  readonly name: string;
  readonly points: readonly { readonly depth: number; readonly side: number }[];
}

/** The two lines of a model's fields: sides of squares of their area. */
export function seriesOf(
  fields: readonly FieldAtDepth[],
  [height, width]: Size,
  names: { composed: string; effective: string },
): DepthSeries[] {
  const composed = fields.flatMap(({ depth, composed: c }) => (c ? [{ depth, side: Math.sqrt(c[0] * c[1]) }] : []));
  const effective = fields.flatMap(({ depth, area }) =>
    area === undefined ? [] : [{ depth, side: Math.sqrt(area * height * width) }],
  );
  return [
    { name: names.composed, points: composed },
    { name: names.effective, points: effective },
  ].filter((s) => s.points.length > 0);
}

/** Lines by depth, and a dashed one at the image's side. */
export function depthChart(
  series: readonly DepthSeries[],
  [height, width]: Size,
  words: { title: string; caption: string; depth: string; side: string; data: unknown },
): ChartDrawing {
  const values = series.flatMap(({ name, points }) => points.map((p) => ({ name, ...p })));
  const names = series.map((s) => s.name);
  return {
    kind: "chart",
    title: words.title,
    caption: words.caption,
    data: words.data,
    spec: {
      width: 460,
      height: 260,
      layer: [
        {
          data: { values: [{ side: Math.sqrt(height * width) }] },
          mark: { type: "rule", strokeDash: [4, 4], color: "#888888" },
          encoding: { y: { field: "side", type: "quantitative" } },
        },
        {
          data: { values },
          mark: { type: "line", point: true },
          encoding: {
            x: { field: "depth", type: "quantitative", title: words.depth, axis: { tickMinStep: 1, format: "d" } },
            y: { field: "side", type: "quantitative", title: words.side },
            color: {
              field: "name",
              type: "nominal",
              title: null,
              scale: { domain: names },
              legend: { orient: "bottom", columns: 1, labelLimit: 400 },
            },
          },
        },
      ],
    },
  };
}
