import type { IncomingMessage, ServerResponse } from "node:http";
import type { PixelImage } from "../../data/image.ts";
import { TesseraeError } from "../../errors.ts";
import type { Backend } from "../../runtime/backend.ts";
import type { StudioModel } from "../../studio/model.ts";
import { encodeEvidence, encodeFloats, encodeInfo, encodePrediction } from "../../studio/wire.ts";
import { decodeImage } from "../decode.ts";
import { readBody } from "./body.ts";
import { sendEvents } from "./events.ts";
import { findRuns, type Place } from "./folders.ts";
import { type Askable, freshId, ModelShelf, modelOfName, modelOfRun, type NamedModel } from "./models.ts";
import { RunReader } from "./runs.ts";

/** A request that has passed the guard. */
export interface Question {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded parts of the path after "api". */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** What is sent back; undefined where the answer is sent already. */
export type Answer = { readonly type: string; readonly chunks: readonly (Uint8Array | string)[] } | undefined;

export class NotFound extends TesseraeError {
  constructor(what: string) {
    super("usage", `there is no ${what}`);
  }
}

const json = (value: unknown): Answer => ({ type: "application/json", chunks: [JSON.stringify(value)] });
const bytes = (chunks: readonly Uint8Array[]): Answer => ({ type: "application/octet-stream", chunks });

/** Curves that one page may watch. */
const MOST_WATCHED = 24;

/** A whole number of a query, in range. Throws TesseraeError("usage"). */
function wholeOf(query: URLSearchParams, name: string, low: number, high: number, otherwise?: number): number {
  const text = query.get(name);
  if (text === null && otherwise !== undefined) return otherwise;
  const value = /^\d{1,9}$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high))
    throw new TesseraeError("usage", `${name} must be a whole number from ${low} to ${high}`);
  return value;
}

/** What the page asks of a model with an image. */
const ASKED: Readonly<
  Record<string, (model: StudioModel, image: PixelImage, query: URLSearchParams) => Promise<readonly Uint8Array[]>>
> = {
  predict: async (model, image, query) =>
    encodePrediction(await model.predict(image, wholeOf(query, "top", 1, 1000, 5))),
  attention: async (model, image, query) => {
    const path = query.get("layer") ?? "";
    const layer = model.info.attention.find((l) => l.path === path);
    const shape = layer && [layer.groups, layer.heads, layer.queries.length, layer.keys.length];
    return encodeFloats(await model.attention(image, path), shape);
  },
  evidence: async (model, image, query) => {
    const target = wholeOf(query, "class", 0, model.info.classes.length - 1);
    return encodeEvidence(await model.evidence(image, query.get("method") ?? "", target));
  },
};

/** Answers what the page asks about the runs in some folders. */
export class Answers {
  readonly #roots: readonly string[];
  readonly #named: readonly NamedModel[];
  readonly #runs = new RunReader();
  readonly #shelf: ModelShelf;
  readonly #ends = new AbortController();

  constructor(roots: readonly string[], models: readonly NamedModel[], startEngine: () => Promise<Backend>) {
    this.#roots = roots;
    this.#named = models;
    this.#shelf = new ModelShelf(startEngine);
  }

  async answer(question: Question): Promise<Answer> {
    const { request, path, query } = question;
    const [what, id, ask] = path;
    const method = request.method ?? "";
    if (method === "POST" && path.length === 3 && what === "models" && Object.hasOwn(ASKED, ask))
      return this.#ask(await this.#model(id), ask, question);
    if (method !== "GET") throw new NotFound("such question");
    if (path.length === 1 && what === "runs") return json(await this.#entries());
    if (path.length === 2 && what === "runs") return json(await this.#details(id));
    if (path.length === 1 && what === "models")
      return json((await this.#models()).map(({ id, name, model }) => ({ id, name, model })));
    if (path.length === 2 && what === "models") return this.#info(await this.#model(id));
    if (path.length === 1 && what === "differences")
      return json(await this.#runs.differences(await this.#places(query)));
    if (path.length === 1 && what === "events") return this.#events(question);
    throw new NotFound("such question");
  }

  async close(): Promise<void> {
    this.#ends.abort();
    await this.#shelf.close();
  }

  async #place(id: string): Promise<Place> {
    const place = (await findRuns(this.#roots)).get(id);
    if (!place) throw new NotFound("such run");
    return place;
  }

  /** The runs that a query names, each once. */
  async #places(query: URLSearchParams): Promise<Place[]> {
    const ids = [...new Set(query.getAll("run"))];
    if (ids.length > MOST_WATCHED)
      throw new TesseraeError("usage", `${ids.length} runs are too many at a time, ${MOST_WATCHED} at most`);
    const known = await findRuns(this.#roots);
    return ids.map((id) => {
      const place = known.get(id);
      if (!place) throw new NotFound("such run");
      return place;
    });
  }

  async #entries() {
    return this.#runs.entries((await findRuns(this.#roots)).values());
  }

  /** Models of runs that have one, and the others that were named. */
  async #models(): Promise<{ id: string; name: string; model: string; asked: Askable }[]> {
    const places = await findRuns(this.#roots);
    const entries = (await this.#runs.entries(places.values())).filter((e) => e.hasModel);
    const models = entries.map(({ id, name, model }) => ({
      ...{ id, name, model, asked: modelOfRun(places.get(id) as Place) },
    }));
    for (const named of this.#named) {
      const { name, trained } = named;
      models.push({ id: freshId(name, models), name, model: trained.spec.name, asked: modelOfName(named) });
    }
    return models;
  }

  async #model(id: string): Promise<Askable> {
    const found = (await this.#models()).find((m) => m.id === id);
    if (!found) throw new NotFound("such model");
    return found.asked;
  }

  async #details(id: string) {
    const details = await this.#runs.details(await this.#place(id));
    if (!details) throw new NotFound("such run");
    return details;
  }

  async #info(asked: Askable): Promise<Answer> {
    return { type: "application/json", chunks: [await this.#shelf.use(asked, async ({ info }) => encodeInfo(info))] };
  }

  async #ask(asked: Askable, ask: string, { request, query }: Question): Promise<Answer> {
    const image = await decodeImage(await readBody(request), "the image");
    return bytes([...(await this.#shelf.use(asked, (model) => ASKED[ask](model, image, query)))]);
  }

  async #events({ response, query }: Question): Promise<Answer> {
    const places = await this.#places(query);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": begins\n\n");
    const list = async () => JSON.stringify(await this.#entries());
    await sendEvents(response, { places, list, signal: this.#ends.signal });
    return undefined;
  }
}
