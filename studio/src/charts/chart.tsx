import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { figure } from "../ui/format.ts";
import { useTheme } from "../ui/theme.ts";
import { described, type Line } from "./series.ts";

interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  /** What x counts. */
  readonly unit: "epoch" | "update";
  readonly format?: (value: number) => string;
  /** Logarithmic y. */
  readonly log?: boolean;
}

const HEIGHT = 220;

/** Every line over the union of all x; null where a line has no point, as uPlot wants it. */
export function aligned(lines: readonly Line[]): uPlot.AlignedData {
  if (lines.length === 0) return [[]];
  return uPlot.join(lines.map(({ x, y }) => [[...x], [...y]]));
}

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const series = ({ name, color, faint, points }: Line, format: (v: number) => string): uPlot.Series => ({
  label: name,
  stroke: faint ? `${color}59` : color,
  width: faint ? 1 : 2,
  spanGaps: true,
  points: { show: points ?? false, size: 6, fill: color },
  value: (_, v) => (v === null || v === undefined ? "–" : format(v)),
});

function optionsOf({ lines, unit, format = figure, log }: ChartProps, width: number): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: css("--dim"),
    grid: { stroke: css("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  return {
    width,
    height: HEIGHT,
    padding: [10, 6, 0, 0],
    cursor: { points: { size: 7 }, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
    axes: [
      {
        ...axis,
        size: 30,
        grid: { show: false },
        space: 60,
        values: (_, ticks) => ticks.map((t) => String(Number(t.toPrecision(6)))),
      },
      { ...axis, size: 58, values: (_, ticks) => ticks.map((t) => (t === null ? "" : format(t))) },
    ],
    series: [
      { label: unit, value: (_, v) => (v === null || v === undefined ? "–" : v.toFixed(unit === "epoch" ? 2 : 0)) },
      ...lines.map((line) => series(line, format)),
    ],
  };
}

/** Lines over epochs or updates. Dragging zooms, a double click shows all; the legend tells the values at the pointer. */
export function Chart(props: ChartProps) {
  const { title, lines, unit } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const names = lines.map((l) => `${l.name}${l.color}${l.faint}${l.points}`).join("|");
  useEffect(() => {
    const room = box.current as HTMLDivElement;
    const made = new uPlot(optionsOf(props, room.clientWidth || 300), aligned(lines), room);
    plot.current = made;
    const fit = new ResizeObserver(() => made.setSize({ width: room.clientWidth, height: HEIGHT }));
    fit.observe(room);
    return () => {
      fit.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, unit, theme]);
  useEffect(() => {
    plot.current?.setData(aligned(lines));
  }, [lines]);
  return (
    <figure class="card chart">
      <figcaption>{title}</figcaption>
      <p class="for-readers">{described(lines, unit)}</p>
      <div ref={box} aria-hidden="true" data-points={lines.reduce((sum, l) => sum + l.y.length, 0)} />
    </figure>
  );
}
