import { useCallback, useState } from "preact/hooks";
import { answers } from "../look/answers.ts";
import type { Point } from "../look/attention.ts";
import { FilePicker, useDrop } from "../look/drop.tsx";
import { addImages, drawnImages, type GivenImage, removeImage, useImages } from "../look/images.ts";
import { Panel } from "../look/panel.tsx";
import { type LookState, readState, setState, withValue } from "../look/state.ts";
import type { ModelEntry, ModelSource } from "../model-source.ts";
import type { Studio } from "../studio.ts";
import { Fault, Waiting } from "../ui/parts.tsx";
import { useAsync } from "../ui/use-async.ts";

/** Images through one model, or two side by side. */
export function LookView({ studio, query }: { studio: Studio; query: URLSearchParams }) {
  const list = useAsync("models", () => studio.models.list());
  if (list.error) return <Fault>{list.error}</Fault>;
  if (!list.value) return <Waiting what="Reading the models" />;
  if (list.value.length === 0) return <NoModels />;
  const state = readState(query);
  const known = state.models.filter((id) => list.value?.some((m) => m.id === id));
  const models = known.length > 0 ? known : [list.value[0].id];
  return <Look studio={studio} entries={list.value} state={{ ...state, models }} />;
}

const NoModels = () => (
  <section class="card empty">
    <h1>No model yet</h1>
    <p>A run has one when it has saved its first checkpoint.</p>
  </section>
);

interface LookProps {
  readonly studio: Studio;
  readonly entries: readonly ModelEntry[];
  readonly state: LookState;
}

function Look({ studio, entries, state }: LookProps) {
  const images = useImages();
  const [pointed, setPointed] = useState<Point>();
  const take = useCallback(
    (files: File[]) => {
      const first = addImages(files);
      if (first)
        setState({
          ...readState(new URLSearchParams(location.hash.split("?")[1])),
          ...{ image: first.id, models: state.models },
        });
    },
    [state.models.join()],
  );
  const over = useDrop(take);
  const image = images.find((i) => i.id === state.image) ?? images[0];
  const opened = useModels(studio, state.models);
  return (
    <>
      <div class="headline">
        <h1>Look</h1>
        <span class="spread" />
        <ModelChoice entries={entries} state={state} />
      </div>
      {opened.error && <Fault>{opened.error}</Fault>}
      <Strip images={images} image={image} state={state} model={opened.models.find(hasClasses)} take={take} />
      {image ? (
        <>
          <Overlays models={opened.models} state={state} />
          <div class={`panels n${state.models.length}`}>
            {state.models.map((id, i) => (
              <section key={`${i} ${id}`} class="card" aria-label={entries.find((e) => e.id === id)?.name}>
                <h2>
                  {entries.find((e) => e.id === id)?.name}
                  <span class="dim"> {entries.find((e) => e.id === id)?.model}</span>
                </h2>
                {opened.models[i] ? (
                  <Panel
                    model={opened.models[i] as ModelSource}
                    image={image}
                    show={state.show}
                    at={pointed ?? state.at}
                    chosen={state.at}
                    layer={state.layers[i]}
                    head={state.heads[i]}
                    target={state.classes[i]}
                    onPoint={setPointed}
                    onChoose={(at) => {
                      setPointed(undefined);
                      setState({ ...state, at });
                    }}
                    onLayer={(layer) => setState({ ...state, layers: withValue(state.layers, i, layer) })}
                    onHead={(head) => setState({ ...state, heads: withValue(state.heads, i, head) })}
                    onTarget={(target) =>
                      setState({
                        ...evidenceState(state, opened.models[i]),
                        classes: withValue(state.classes, i, target),
                      })
                    }
                  />
                ) : (
                  !opened.error && <Waiting what="Loading the model" />
                )}
              </section>
            ))}
          </div>
        </>
      ) : (
        <Invitation take={take} />
      )}
      {over && <div class="dropping">Drop images to look at them</div>}
    </>
  );
}

/** A class is explained by evidence: where attention is shown, the first method takes its place. */
const evidenceState = (state: LookState, model: ModelSource | undefined): LookState =>
  model?.info.evidence.some((m) => m.name === state.show)
    ? state
    : { ...state, show: model?.info.evidence[0]?.name ?? state.show };

interface Opened {
  readonly models: readonly (ModelSource | undefined)[];
  readonly error?: string;
}

const sources = new Map<string, Promise<ModelSource>>();

function openOnce(studio: Studio, id: string): Promise<ModelSource> {
  const opening = sources.get(id) ?? studio.models.open(id);
  sources.set(id, opening);
  opening.catch(() => sources.delete(id));
  return opening;
}

/** The models of the panels; each is there as soon as it is loaded. */
function useModels(studio: Studio, ids: readonly string[]): Opened {
  const first = useAsync(ids[0], () => openOnce(studio, ids[0]), { fresh: true });
  const second = useAsync(ids[1] ?? "", ids[1] === undefined ? undefined : () => openOnce(studio, ids[1]), {
    fresh: true,
  });
  return { models: ids.map((_, i) => [first, second][i].value), error: first.error ?? second.error };
}

/** Which model, and which beside it. */
function ModelChoice({ entries, state }: { entries: readonly ModelEntry[]; state: LookState }) {
  const choose = (index: number, id: string) => {
    const models = [...state.models];
    if (id === "") models.splice(index, 1);
    else models[index] = id;
    setState({ ...state, models, layers: [], heads: [], classes: [] });
  };
  const options = entries.map((e) => (
    <option key={e.id} value={e.id}>
      {e.name}
    </option>
  ));
  return (
    <div class="choices">
      <label>
        <span class="dim">Model</span>
        <select value={state.models[0]} onChange={(e) => choose(0, e.currentTarget.value)}>
          {options}
        </select>
      </label>
      <label>
        <span class="dim">beside</span>
        <select value={state.models[1] ?? ""} onChange={(e) => choose(1, e.currentTarget.value)}>
          <option value="">none</option>
          {options}
        </select>
      </label>
    </div>
  );
}

/** What lies over the image. */
function Overlays({ models, state }: { models: readonly (ModelSource | undefined)[]; state: LookState }) {
  const methods = new Map(models.flatMap((m) => m?.info.evidence ?? []).map((m) => [m.name, m.title]));
  const shown = [["none", "Image"], ["attention", "Attention"], ...methods];
  return (
    <fieldset class="chips overlays">
      <legend class="for-readers">What lies over the image</legend>
      {shown.map(([name, title]) => (
        <label key={name} class="chip">
          <input
            type="radio"
            name="overlay"
            checked={state.show === name}
            onChange={() => setState({ ...state, show: name })}
          />
          {title}
        </label>
      ))}
    </fieldset>
  );
}

const hasClasses = (model: ModelSource | undefined): boolean => (model?.info.classes.length ?? 0) > 0;

interface StripProps {
  readonly images: readonly GivenImage[];
  readonly image: GivenImage | undefined;
  readonly state: LookState;
  readonly model: ModelSource | undefined;
  readonly take: (files: File[]) => void;
}

/** The images, each with the best guess of the first model that has classes. */
function Strip({ images, image, state, model, take }: StripProps) {
  if (images.length === 0) return null;
  return (
    <div class="strip">
      <ul>
        {images.map((each) => (
          <li key={each.id}>
            <button type="button" aria-pressed={each === image} onClick={() => setState({ ...state, image: each.id })}>
              <img src={each.url} alt="" />
              <span class="name">{each.name}</span>
              {model && <Best model={model} image={each} />}
            </button>
            <button
              type="button"
              class="remove"
              aria-label={`Remove ${each.name}`}
              onClick={() => removeImage(each.id)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <FilePicker label="Add images" onFiles={take} />
    </div>
  );
}

function Best({ model, image }: { model: ModelSource; image: GivenImage }) {
  const { value, error } = useAsync(`${answers(model).id} ${image.id}`, () => answers(model).predict(image));
  if (error) return <span class="dim">cannot be read</span>;
  return <span class="dim">{value ? value.top[0]?.label : "…"}</span>;
}

const Invitation = ({ take }: { take: (files: File[]) => void }) => (
  <section class="card invitation">
    <p class="big">Drop images here</p>
    <p class="dim">or paste them, or</p>
    <div class="buttons">
      <FilePicker label="Choose files" onFiles={take} />
      <button type="button" onClick={() => void drawnImages(Date.now() % 1000).then(take)}>
        Draw some shapes
      </button>
    </div>
    <p class="dim small">They go to the model on this machine and nowhere else.</p>
  </section>
);
