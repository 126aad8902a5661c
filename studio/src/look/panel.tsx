import { useMemo } from "preact/hooks";
import type { AttentionLayer } from "../../../src/explain/attention-layers.ts";
import type { EvidenceMap, EvidenceMethod } from "../../../src/explain/evidence.ts";
import type { Prediction } from "../../../src/studio/model.ts";
import type { ModelSource } from "../model-source.ts";
import { Fault, Waiting } from "../ui/parts.tsx";
import { useAsync } from "../ui/use-async.ts";
import { answers } from "./answers.ts";
import { cellAt, hasClassToken, type Looking, lookingFrom, type Point, placeName, strongest } from "./attention.ts";
import { Guesses } from "./guesses.tsx";
import { Heads } from "./heads.tsx";
import type { GivenImage } from "./images.ts";
import type { Overlay } from "./paint.ts";
import { Picture } from "./picture.tsx";

export interface PanelProps {
  readonly model: ModelSource;
  readonly image: GivenImage;
  readonly show: string;
  readonly at: Point | undefined;
  readonly chosen: Point | undefined;
  readonly layer: number | undefined;
  readonly head: number | undefined;
  readonly target: number | undefined;
  readonly onPoint: (at: Point | undefined) => void;
  readonly onChoose: (at: Point | undefined) => void;
  readonly onLayer: (layer: number) => void;
  readonly onHead: (head: number | undefined) => void;
  readonly onTarget: (target: number) => void;
}

/** One model and one image: what it says, and why. */
export function Panel(props: PanelProps) {
  const { model, image } = props;
  const { id } = image;
  const key = `${answers(model).id} ${id}`;
  const prediction = useAsync(key, () => answers(model).predict(image), { fresh: true });
  if (prediction.error) return <Fault>{`${image.name}: ${prediction.error}`}</Fault>;
  if (!prediction.value) return <Waiting what={`${model.info.name} looks`} />;
  return <Seen {...props} prediction={prediction.value} imageKey={key} />;
}

interface SeenProps extends PanelProps {
  readonly prediction: Prediction;
  /** Changes with model and image. */
  readonly imageKey: string;
}

const percent = (v: number): string => `${(100 * v).toFixed(1)} %`;

function Seen(props: SeenProps) {
  const { model, image, show, at, head, prediction, imageKey, onPoint, onChoose, onHead, onTarget } = props;
  const layers = model.info.attention;
  const layer = layers[Math.min(props.layer ?? layers.length - 1, layers.length - 1)] as AttentionLayer | undefined;
  const method = model.info.evidence.find((m) => m.name === show);
  const target = props.target ?? prediction.top[0]?.index ?? 0;
  const asked = show === "attention" ? layer : undefined;
  const weights = useAsync(`${imageKey} ${asked?.path}`, asked && (() => answers(model).attention(image, asked.path)), {
    fresh: true,
  });
  const evidence = useAsync(
    `${imageKey} ${method?.name} ${target}`,
    method && (() => answers(model).evidence(image, method.name, target)),
    { fresh: true },
  );
  const looking = useMemo(() => {
    const cell = asked && at ? cellAt(asked.queries.grid, at) : undefined;
    return asked && weights.value ? lookingFrom(asked, weights.value, cell) : undefined;
  }, [asked, weights.value, at]);
  const overlay = useOverlay(looking, head, method, evidence.value);
  const error = weights.error ?? evidence.error;
  return (
    <div class="seen">
      <Picture
        {...{
          seen: prediction.seen,
          overlay,
          grid: looking && asked?.queries.grid,
          at,
          chosen: props.chosen,
          onPoint,
          onChoose,
        }}
        label={`${image.name} as ${model.info.name} sees it`}
      />
      <div class="told">
        {prediction.top.length > 0 ? (
          <Guesses top={prediction.top} target={method ? target : undefined} onTarget={onTarget} />
        ) : (
          <p class="dim">{model.info.model} has no classifier: it gives features.</p>
        )}
        {error && <Fault>{error}</Fault>}
        {(weights.busy || evidence.busy) && <Waiting what="Asking" />}
        {show === "attention" && !layer && <p class="dim">{model.info.model} has no attention: try class evidence.</p>}
        {asked && <LayerChoice {...props} layers={layers} layer={asked} />}
        {asked && looking && <Heads looking={looking} head={head} onHead={onHead} />}
        {asked && looking && <Told layer={asked} looking={looking} head={head} at={at} />}
        {method && <p class="dim source">{sourceText(method, model, target)}</p>}
      </div>
    </div>
  );
}

function sourceText({ title, source, signed }: EvidenceMethod, model: ModelSource, target: number): string {
  const colors = signed ? " Red speaks for it, blue against it." : "";
  return `${title} for ${model.info.classes[target] ?? target}.${colors} ${source}.`;
}

function useOverlay(
  looking: Looking | undefined,
  head: number | undefined,
  method: EvidenceMethod | undefined,
  evidence: EvidenceMap | undefined,
): Overlay | undefined {
  return useMemo(() => {
    if (looking)
      return {
        size: looking.grid,
        values: head === undefined ? looking.mean : (looking.heads[head] ?? looking.mean),
        kind: "patches",
      };
    if (method && evidence)
      return { size: evidence.size, values: evidence.values, kind: method.signed ? "signed" : "evidence" };
    return undefined;
  }, [looking, head, method, evidence]);
}

interface LayerChoiceProps extends Pick<PanelProps, "onLayer"> {
  readonly layers: readonly AttentionLayer[];
  readonly layer: AttentionLayer;
}

const LayerChoice = ({ layers, layer, onLayer }: LayerChoiceProps) => {
  const index = layers.indexOf(layer);
  return (
    <label class="layer">
      <span>
        Layer {index + 1} of {layers.length}
        <span class="dim">
          {" "}
          {layer.path}
          {layer.kind !== "global" && `, ${layer.kind}`}
        </span>
      </span>
      <input
        type="range"
        min={0}
        max={layers.length - 1}
        value={index}
        disabled={layers.length < 2}
        onInput={(event) => onLayer(Number(event.currentTarget.value))}
      />
    </label>
  );
};

/** Tokens that no part of the image is. */
const placeless = ({ keys }: AttentionLayer): string =>
  keys.cells.filter((cell) => cell < 0).length === keys.cells.length / keys.length
    ? "the class token"
    : "tokens without a place";

interface ToldProps {
  readonly layer: AttentionLayer;
  readonly looking: Looking;
  readonly head: number | undefined;
  readonly at: Point | undefined;
}

/** In words what the picture shows, for screen readers as well. */
function Told({ layer, looking, head, at }: ToldProps) {
  const { grid } = layer.queries;
  const map = head === undefined ? looking.mean : (looking.heads[head] ?? looking.mean);
  const best = strongest(map);
  const asks = at
    ? `The patch in ${placeName(grid, cellAt(grid, at))}`
    : hasClassToken(layer)
      ? "The class token"
      : "The mean patch";
  const rest = head === undefined && looking.elsewhere > 0.0005;
  return (
    <p class="says" aria-live="polite">
      {asks} looks most at {placeName(looking.grid, best)}: {percent(map[best])}
      {rest && `; ${percent(looking.elsewhere)} at ${placeless(layer)}`}.
    </p>
  );
}
