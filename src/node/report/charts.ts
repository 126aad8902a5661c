import type { Calibration } from "../../train/judgements.ts";

type Spec = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, string>>;

/** Rows of summary.csv as long rows of (epoch, what, value), empty cells left out. */
const long = (rows: readonly Row[], columns: Readonly<Record<string, string>>) =>
  rows.flatMap((row) =>
    Object.entries(columns).flatMap(([column, what]) =>
      row[column] === undefined || row[column] === ""
        ? []
        : [{ epoch: Number(row.epoch) + 1, what, value: Number(row[column]) }],
    ),
  );

/** Curves of some columns of summary.csv over the epochs; undefined where none has values. */
export function curves(
  rows: readonly Row[],
  title: string,
  columns: Readonly<Record<string, string>>,
): Spec | undefined {
  const values = long(rows, columns);
  if (values.length === 0) return undefined;
  return {
    width: 300,
    height: 190,
    data: { values },
    mark: { type: "line", point: rows.length < 40 },
    encoding: {
      x: { field: "epoch", type: "quantitative", title: "epoch", axis: { tickMinStep: 1, format: "d" } },
      y: { field: "value", type: "quantitative", title, scale: { zero: false } },
      color: { field: "what", type: "nominal", title: null, sort: Object.values(columns), legend: { orient: "top" } },
    },
  };
}

/** Accuracy by confidence beside the diagonal of a calibrated model. */
export const reliability = ({ bins }: Calibration): Spec => ({
  width: 260,
  height: 260,
  layer: [
    {
      data: { values: [...bins] },
      mark: { type: "bar", opacity: 0.8, stroke: "white" },
      encoding: {
        x: { field: "from", type: "quantitative", title: "confidence", scale: { domain: [0, 1] } },
        x2: { field: "to" },
        y: { field: "accuracy", type: "quantitative", title: "share that is right", scale: { domain: [0, 1] } },
        y2: { datum: 0 },
      },
    },
    {
      data: { values: [{ v: 0 }, { v: 1 }] },
      mark: { type: "line", strokeDash: [5, 4], color: "#555" },
      encoding: { x: { field: "v", type: "quantitative" }, y: { field: "v", type: "quantitative" } },
    },
  ],
});

/** Images a class, in training and held out. */
export const classCounts = (counts: readonly { name: string; part: string; images: number }[]): Spec => ({
  width: 320,
  height: { step: 14 },
  data: { values: [...counts] },
  mark: "bar",
  encoding: {
    y: { field: "name", type: "nominal", title: null, sort: null },
    x: { field: "images", type: "quantitative", title: "images" },
    color: { field: "part", type: "nominal", title: null, legend: { orient: "top" } },
  },
});
