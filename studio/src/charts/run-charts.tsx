import { useMemo } from "preact/hooks";
import type { EpochPoint, StepPoint } from "../../../src/studio/run.ts";
import { Chart } from "./chart.tsx";
import { COLORS, colorOf, type Known, type Line, ofEpochs, ofSteps, smoothed, unitOf } from "./series.ts";

const [GREEN, AMBER, , BLUE, VIOLET] = COLORS;

/** Few points are drawn as points too: a curve of one epoch is one. */
const FEW = 40;

const withPoints = (line: Line): Line => ({ ...line, points: line.x.length <= FEW });

/** The charts of one run. */
export function RunCharts({ known }: { known: Known }) {
  const unit = unitOf([known]);
  const { loss, quality, lr, norm, pace } = useMemo(() => linesOf(known, unit), [known, unit]);
  return (
    <div class="charts">
      <Chart title="Loss" lines={loss} unit={unit} />
      {quality.length > 0 && <Chart title="Held-out accuracy, %" lines={quality} unit={unit} />}
      {lr[0].x.length > 0 && <Chart title="Learning rate" lines={lr} unit={unit} />}
      {norm[0].x.length > 0 && <Chart title="Gradient norm" lines={norm} unit={unit} />}
      {pace[0].x.length > 0 && <Chart title="Images a second" lines={pace} unit={unit} />}
    </div>
  );
}

/** A figure of every step: as it is, pale, and smoothed. */
function both(
  known: Known,
  unit: "epoch" | "update",
  name: string,
  color: string,
  of: (p: StepPoint) => number | undefined,
) {
  const { x, y } = ofSteps(known, unit, of);
  return [
    { name: `${name}, each`, color, x, y, faint: true },
    { name, color, x, y: smoothed(y), points: x.length <= 1 },
  ];
}

function linesOf(known: Known, unit: "epoch" | "update") {
  const epochs = (name: string, color: string, of: (e: EpochPoint) => number | undefined): Line[] => {
    const points = ofEpochs(known, unit, of);
    return points.x.length > 0 ? [withPoints({ name, color, ...points })] : [];
  };
  const quality = [...epochs("top-1", GREEN, (e) => e.top1), ...epochs("top-5", BLUE, (e) => e.top5)];
  return {
    loss: [...both(known, unit, "training", BLUE, (p) => p.loss), ...epochs("held out", AMBER, (e) => e.loss)],
    quality,
    lr: [{ name: "learning rate", color: VIOLET, ...ofSteps(known, unit, (p) => p.lr) }],
    norm: both(known, unit, "norm", AMBER, (p) => p.gradNorm),
    pace: both(known, unit, "images a second", GREEN, (p) => p.imagesPerSecond),
  };
}

/** Curves of several runs over each other. */
export function ComparedCharts({ runs }: { runs: readonly { readonly name: string; readonly known: Known }[] }) {
  const unit = unitOf(runs.map((r) => r.known));
  const panels = useMemo(() => {
    const steps = (of: (p: StepPoint) => number | undefined, smooth: boolean) =>
      runs.map(({ name, known }, i) => {
        const { x, y } = ofSteps(known, unit, of);
        return { name, color: colorOf(i), x, y: smooth ? smoothed(y) : y, points: x.length <= 1 };
      });
    const epochs = (of: (e: EpochPoint) => number | undefined) =>
      runs.map(({ name, known }, i) => withPoints({ name, color: colorOf(i), ...ofEpochs(known, unit, of) }));
    return [
      { title: "Training loss, smoothed", lines: steps((p) => p.loss, true) },
      { title: "Held-out loss", lines: epochs((e) => e.loss) },
      { title: "Held-out top-1, %", lines: epochs((e) => e.top1) },
      { title: "Learning rate", lines: steps((p) => p.lr, false) },
    ].filter(({ lines }) => lines.some((l) => l.x.length > 0));
  }, [runs, unit]);
  return (
    <div class="charts even">
      {panels.map(({ title, lines }) => (
        <Chart key={title} title={title} lines={lines} unit={unit} />
      ))}
    </div>
  );
}
