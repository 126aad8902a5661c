import { goTo, type QueryValue, routeTo } from "../route.ts";
import type { Point } from "./attention.ts";

/** What the view "look" shows, as its address says. Lists go by panel. */
export interface LookState {
  readonly models: readonly string[];
  readonly image?: string;
  /** "attention", "none", or a method of class evidence. */
  readonly show: string;
  /** Place in the list of layers; undefined: the last. */
  readonly layers: readonly (number | undefined)[];
  /** undefined: the mean of all heads. */
  readonly heads: readonly (number | undefined)[];
  /** The class that is explained; undefined: the one that the model gives. */
  readonly classes: readonly (number | undefined)[];
  /** The place whose patch is asked; undefined: the class token. */
  readonly at?: Point;
}

const wholes = (texts: readonly string[]): (number | undefined)[] =>
  texts.map((t) => (/^\d{1,6}$/.test(t) ? Number(t) : undefined));

function pointOf(text: string | null): Point | undefined {
  const [x, y] = (text ?? "").split(",").map(Number);
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : undefined;
}

export const readState = (query: URLSearchParams): LookState => ({
  models: query.getAll("model").slice(0, 2),
  image: query.get("image") ?? undefined,
  show: query.get("show") ?? "attention",
  layers: wholes(query.getAll("layer")),
  heads: wholes(query.getAll("head")),
  classes: wholes(query.getAll("class")),
  at: pointOf(query.get("at")),
});

/** A list as an address holds it: nothing where all its values are the default. */
const listed = (values: readonly (number | undefined)[]): QueryValue =>
  values.every((v) => v === undefined) ? undefined : values.map((v) => v ?? "-");

export function writeState({ models, image, show, layers, heads, classes, at }: LookState): string {
  return routeTo(["look"], {
    ...{ model: models, image, show: show === "attention" ? undefined : show },
    ...{ layer: listed(layers), head: listed(heads), class: listed(classes) },
    at: at && `${at.x.toFixed(4)},${at.y.toFixed(4)}`,
  });
}

/** A list with one value changed; gaps are filled with undefined. */
export const withValue = <T>(list: readonly (T | undefined)[], index: number, value: T | undefined) =>
  Array.from({ length: Math.max(list.length, index + 1) }, (_, i) => (i === index ? value : list[i]));

export const setState = (state: LookState): void => goTo(writeState(state), { replace: true });
