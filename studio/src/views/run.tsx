import { useMemo } from "preact/hooks";
import type { RunDetails, RunEntry } from "../../../src/studio/run.ts";
import { RunCharts } from "../charts/run-charts.tsx";
import { NOTHING } from "../charts/series.ts";
import { routeTo } from "../route.ts";
import type { Studio } from "../studio.ts";
import { ago, fixed, METRIC_NAMES, metricText, short } from "../ui/format.ts";
import { Fault, Figure, Progress, State, Waiting } from "../ui/parts.tsx";
import { useAsync } from "../ui/use-async.ts";
import { useRuns } from "../ui/use-runs.ts";
import { ClassTable } from "./class-table.tsx";

/** One run: where it stands, its curves as they grow, its classes and settings. */
export function RunView({ studio, id }: { studio: Studio; id: string }) {
  const watched = useMemo(() => [id], [id]);
  const { runs, curves, error } = useRuns(studio.runs, watched);
  const entry = runs?.find((r) => r.id === id);
  const details = useAsync(`${id} ${entry?.state} ${entry?.epochs}`, entry && (() => studio.runs.details(id)));
  if (error) return <Fault>{error}</Fault>;
  if (!runs) return <Waiting what="Reading the run" />;
  if (!entry) return <Fault>There is no run {id} in these folders.</Fault>;
  return (
    <>
      <Head run={entry} />
      <h2>Curves</h2>
      <RunCharts known={curves.get(id) ?? NOTHING} />
      {details.error && <Fault>{details.error}</Fault>}
      {details.value && <Details details={details.value} />}
    </>
  );
}

function Head({ run }: { run: RunEntry }) {
  const { id, name, model, parameters, metric, best, last, changed, hasModel } = run;
  return (
    <section class="run-head">
      <div class="headline">
        <h1>{name}</h1>
        <State run={run} />
        <span class="spread" />
        {hasModel && (
          <a class="button" href={routeTo(["look"], { model: id })}>
            Look through it
          </a>
        )}
      </div>
      <Progress run={run} />
      <dl class="figures">
        <Figure name={`best ${METRIC_NAMES[metric]}`} value={metricText(metric, best?.[metric])} />
        <Figure name="in epoch" value={best ? best.epoch + 1 : "–"} />
        <Figure name="held-out loss then" value={fixed(best?.loss)} />
        <Figure name="last training loss" value={fixed(last?.trainLoss)} />
        <Figure name={model} value={parameters === undefined ? "–" : short(parameters)} />
        <Figure name="written" value={ago(changed)} />
      </dl>
    </section>
  );
}

function Details({ details: { classes, facts } }: { details: RunDetails }) {
  return (
    <>
      {classes.length > 0 && (
        <>
          <h2>Classes</h2>
          <ClassTable rows={classes} />
        </>
      )}
      <h2>Configuration</h2>
      <div class="facts">
        {facts.map(({ title, facts: list }) => (
          <section key={title} class="card">
            <h3>{title}</h3>
            <dl>
              {list.map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </>
  );
}
