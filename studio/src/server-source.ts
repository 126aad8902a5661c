import type { EvidenceMap } from "../../src/explain/evidence.ts";
import type { ModelInfo, Prediction } from "../../src/studio/model.ts";
import type { RunCurves, RunDetails, RunDifference, RunEntry } from "../../src/studio/run.ts";
import { decodeEvidence, decodeFloats, decodeInfo, decodePrediction } from "../../src/studio/wire.ts";
import type { ModelEntry, ModelSource, Models } from "./model-source.ts";
import type { RunSource } from "./run-source.ts";
import { type ServerEvent, serverEvents } from "./server-events.ts";
import type { Studio } from "./studio.ts";

const KEY = "tesserae-studio-token";

/** The token is printed in the address's fragment, which no browser sends; it is kept for reloads and taken out of sight. */
function takeToken(): string {
  const given = /^#token=([\w-]+)(.*)$/.exec(location.hash);
  if (!given) return localStorage.getItem(KEY) ?? "";
  localStorage.setItem(KEY, given[1]);
  history.replaceState(null, "", `${location.pathname}${given[2] ? `#${given[2]}` : ""}`);
  return given[1];
}

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** Asks the server; what it refuses rejects with its line. */
const asker =
  (token: string): Ask =>
  async (path, init = {}) => {
    const headers = { ...init.headers, authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, document.baseURI), { ...init, headers, cache: "no-store" }).catch(
      (error) => {
        if (init.signal?.aborted) throw error;
        throw new Error("The studio does not answer: is the command still running?");
      },
    );
    if (response.ok) return response;
    if (response.status === 401) throw new Error("This page has no key: open the address that the command printed.");
    throw new Error((await response.text()) || `The studio answered ${response.status}`);
  };

class ServerModel implements ModelSource {
  readonly info: ModelInfo;
  readonly #post: (what: string, image: Blob) => Promise<Uint8Array>;

  constructor(info: ModelInfo, post: (what: string, image: Blob) => Promise<Uint8Array>) {
    this.info = info;
    this.#post = post;
  }

  async predict(image: Blob, top = 5): Promise<Prediction> {
    return decodePrediction(await this.#post(`predict?top=${top}`, image));
  }

  async attention(image: Blob, path: string): Promise<Float32Array> {
    return decodeFloats(await this.#post(`attention?layer=${encodeURIComponent(path)}`, image));
  }

  async evidence(image: Blob, method: string, target: number): Promise<EvidenceMap> {
    return decodeEvidence(await this.#post(`evidence?method=${encodeURIComponent(method)}&class=${target}`, image));
  }
}

function serverModels(ask: Ask): Models {
  const at = (id: string) => `api/models/${encodeURIComponent(id)}`;
  return {
    list: async () => (await (await ask("api/models")).json()) as ModelEntry[],
    open: async (id) => {
      const info = decodeInfo(await (await ask(at(id))).text());
      return new ServerModel(info, async (what, image) => {
        const headers = { "content-type": "application/octet-stream" };
        const response = await ask(`${at(id)}/${what}`, { method: "POST", body: image, headers });
        return new Uint8Array(await response.arrayBuffer());
      });
    },
  };
}

function serverRuns(ask: Ask): RunSource {
  const json = async <T>(path: string): Promise<T> => (await (await ask(path)).json()) as T;
  const listen = (path: string, on: (event: ServerEvent) => void) =>
    serverEvents((signal) => ask(path, { signal }), on);
  const query = (ids: readonly string[]) => ids.map((id) => `run=${encodeURIComponent(id)}`).join("&");
  return {
    list: () => json<RunEntry[]>("api/runs"),
    details: (id) => json<RunDetails>(`api/runs/${encodeURIComponent(id)}`),
    differences: (ids) => json<RunDifference[]>(`api/differences?${query(ids)}`),
    watch: (ids, { onCurves, onRuns }) =>
      listen(`api/events?${query(ids)}`, ({ name, data }) => {
        if (name === "runs") onRuns();
        if (name !== "curves") return;
        const { id, curves } = JSON.parse(data) as { id: string; curves: RunCurves };
        onCurves(id, curves);
      }),
  };
}

/** The studio that the server behind this page shows. */
export async function openServer(): Promise<Studio> {
  const ask = asker(takeToken());
  await ask("api/runs"); // tells early of a missing key
  return { models: serverModels(ask), runs: serverRuns(ask) };
}
