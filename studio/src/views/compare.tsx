import { useEffect, useMemo } from "preact/hooks";
import type { RunDifference, RunEntry } from "../../../src/studio/run.ts";
import { ComparedCharts } from "../charts/run-charts.tsx";
import { colorOf, type Known, NOTHING } from "../charts/series.ts";
import { goTo, routeTo } from "../route.ts";
import type { Studio } from "../studio.ts";
import { fixed, METRIC_NAMES, metricText, percent, short } from "../ui/format.ts";
import { Fault, Scroll, State, Waiting } from "../ui/parts.tsx";
import { useAsync } from "../ui/use-async.ts";
import { useRuns } from "../ui/use-runs.ts";

/** Runs that are compared where the address names none. */
const AT_FIRST = 3;

/** Curves of several runs, their figures, and what differs between them. */
export function CompareView({ studio, ids }: { studio: Studio; ids: readonly string[] }) {
  const { runs, curves, error } = useRuns(studio.runs, ids);
  const known = ids.filter((id) => runs?.some((r) => r.id === id));
  useEffect(() => {
    if (runs && runs.length > 0 && known.length === 0) compare(runs.slice(0, AT_FIRST).map((r) => r.id));
  }, [runs, known.length]);
  if (!runs) return error ? <Fault>{error}</Fault> : <Waiting what="Reading the runs" />;
  const toggle = (id: string) => {
    const next = known.includes(id) ? known.filter((i) => i !== id) : [...known, id];
    if (next.length > 0) compare(next);
  };
  return (
    <>
      <h1>Compare</h1>
      {error && <Fault>{error}</Fault>}
      <fieldset class="chips">
        <legend>Runs</legend>
        {runs.map((run) => (
          <label key={run.id} class="chip">
            <input type="checkbox" checked={known.includes(run.id)} onChange={() => toggle(run.id)} />
            <Swatch index={known.indexOf(run.id)} />
            {run.name}
          </label>
        ))}
      </fieldset>
      <Compared studio={studio} runs={known.map((id) => runs.find((r) => r.id === id) as RunEntry)} curves={curves} />
    </>
  );
}

const compare = (ids: readonly string[]): void => goTo(routeTo(["compare"], { run: ids }), { replace: true });

const Swatch = ({ index }: { index: number }) => (
  <span
    class="swatch"
    aria-hidden="true"
    ref={(e) => e?.style.setProperty("--swatch", index < 0 ? "transparent" : colorOf(index))}
  />
);

interface ComparedProps {
  readonly studio: Studio;
  readonly runs: readonly RunEntry[];
  readonly curves: ReadonlyMap<string, Known>;
}

function Compared({ studio, runs, curves }: ComparedProps) {
  const ids = runs.map((r) => r.id);
  const key = ids.join("\n");
  const lines = useMemo(() => runs.map(({ id, name }) => ({ name, known: curves.get(id) ?? NOTHING })), [key, curves]);
  const differences = useAsync(key, ids.length > 1 ? () => studio.runs.differences(ids) : undefined);
  return (
    <>
      <ComparedCharts runs={lines} />
      <h2>Figures</h2>
      <FigureTable runs={runs} />
      {differences.error && <Fault>{differences.error}</Fault>}
      {differences.value && <Differences names={runs.map((r) => r.name)} rows={differences.value} />}
    </>
  );
}

const FigureTable = ({ runs }: { runs: readonly RunEntry[] }) => (
  <Scroll label="Figures of the runs">
    <table>
      <thead>
        <tr>
          {["run", "state", "parameters", "best", "by", "top-1 then", "loss then", "training loss now"].map((h) => (
            <th key={h} scope="col">
              {h}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {runs.map((run, i) => (
          <tr key={run.id}>
            <th scope="row">
              <Swatch index={i} />
              <a href={routeTo(["run", run.id])}>{run.name}</a>
            </th>
            <td>
              <State run={run} />
            </td>
            <td class="number">{run.parameters === undefined ? "–" : short(run.parameters)}</td>
            <td class="number">{metricText(run.metric, run.best?.[run.metric])}</td>
            <td>{METRIC_NAMES[run.metric]}</td>
            <td class="number">{percent(run.best?.top1)}</td>
            <td class="number">{fixed(run.best?.loss)}</td>
            <td class="number">{fixed(run.last?.trainLoss)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

function Differences({ names, rows }: { names: readonly string[]; rows: readonly RunDifference[] }) {
  if (rows.length === 0) return <p class="dim">The runs have the same settings, data, versions and machine.</p>;
  return (
    <>
      <h2>What differs</h2>
      <Scroll label="What differs between the runs">
        <table>
          <thead>
            <tr>
              <th scope="col">setting</th>
              {names.map((name, i) => (
                <th key={i} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, values }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {values.map((value, i) => (
                  <td key={i}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
