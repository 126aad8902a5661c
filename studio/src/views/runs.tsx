import { useState } from "preact/hooks";
import type { RunEntry } from "../../../src/studio/run.ts";
import { goTo, routeTo } from "../route.ts";
import type { Studio } from "../studio.ts";
import { ago, METRIC_NAMES, metricText, short } from "../ui/format.ts";
import { Fault, Progress, State, Waiting } from "../ui/parts.tsx";
import { useRuns } from "../ui/use-runs.ts";

/** Whether a value of the run's metric is better than another. */
const better = (metric: RunEntry["metric"], a: number, b: number): boolean => (metric === "loss" ? a < b : a > b);

/** The run whose best figure is the best of those with its metric; undefined where there are fewer than two. */
function winnerOf(runs: readonly RunEntry[]): RunEntry | undefined {
  const metric = runs[0]?.metric;
  const measured = runs.filter((r) => r.metric === metric && r.best?.[metric] !== undefined);
  if (measured.length < 2) return undefined;
  return measured.reduce((best, r) =>
    better(metric, r.best?.[metric] as number, best.best?.[metric] as number) ? r : best,
  );
}

/** All runs; some can be chosen and compared. */
export function RunsView({ studio }: { studio: Studio }) {
  const { runs, error } = useRuns(studio.runs);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  if (!runs) return error ? <Fault>{error}</Fault> : <Waiting what="Reading the runs" />;
  if (runs.length === 0) return <NoRuns />;
  const known = chosen.filter((id) => runs.some((r) => r.id === id));
  const toggle = (id: string) => setChosen(known.includes(id) ? known.filter((i) => i !== id) : [...known, id]);
  const winner = winnerOf(runs);
  return (
    <>
      <div class="headline">
        <h1>Runs</h1>
        <span class="dim">{runs.length === 1 ? "1 run" : `${runs.length} runs`}</span>
      </div>
      {error && <Fault>{error}</Fault>}
      <ul class="runs">
        {runs.map((run) => (
          <RunCard key={run.id} run={run} best={run === winner} chosen={known.includes(run.id)} toggle={toggle} />
        ))}
      </ul>
      <Choice runs={runs} chosen={known} />
    </>
  );
}

interface RunCardProps {
  readonly run: RunEntry;
  readonly best: boolean;
  readonly chosen: boolean;
  readonly toggle: (id: string) => void;
}

function RunCard({ run, best, chosen, toggle }: RunCardProps) {
  const { id, name, model, parameters, data, classes, metric, changed } = run;
  return (
    <li class={`card run${chosen ? " chosen" : ""}`}>
      <label class="tick">
        <input type="checkbox" checked={chosen} onChange={() => toggle(id)} aria-label={`Choose ${name}`} />
      </label>
      <a class="whole" href={routeTo(["run", id])}>
        <span class="name">{name}</span>
        <span class="dim">
          {model}
          {parameters !== undefined && ` · ${short(parameters)}`}
        </span>
      </a>
      <span class="data dim">
        {data.split(/[/\\]/).filter(Boolean).at(-1)} · {classes} classes · {ago(changed)}
      </span>
      <span class="metric">
        <strong>{metricText(metric, run.best?.[metric])}</strong>
        <span class="dim">
          best {METRIC_NAMES[metric]}
          {best && <span class="badge">best of all</span>}
        </span>
      </span>
      <span class="standing">
        <State run={run} />
        <Progress run={run} />
      </span>
    </li>
  );
}

function Choice({ runs, chosen }: { runs: readonly RunEntry[]; chosen: readonly string[] }) {
  if (chosen.length === 0) return null;
  const models = chosen.filter((id) => runs.find((r) => r.id === id)?.hasModel).slice(0, 2);
  return (
    <section class="choice" aria-label="Chosen runs">
      <span>{chosen.length} chosen</span>
      <button type="button" onClick={() => goTo(routeTo(["compare"], { run: chosen }))}>
        Compare curves
      </button>
      {models.length > 0 && (
        <button type="button" onClick={() => goTo(routeTo(["look"], { model: models }))}>
          {models.length > 1 ? "Look side by side" : "Look through it"}
        </button>
      )}
    </section>
  );
}

const NoRuns = () => (
  <section class="card empty">
    <h1>No runs yet</h1>
    <p>Train one, and it appears here while it learns:</p>
    <pre>
      <code>tesserae train photos --model vit_tiny_patch16_224</code>
    </pre>
    <p class="dim">Without images of your own, `tesserae synth shapes` draws some.</p>
  </section>
);
