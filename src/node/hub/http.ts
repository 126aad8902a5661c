import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { TesseraeError } from "../../errors.ts";
import { errorCode } from "../file-system.ts";
import type { Environment, HubSettings } from "./settings.ts";

const MOST_REDIRECTS = 10;
const RETRIED = [408, 429, 500, 502, 503, 504];
const LONGEST_WAIT = 60_000;

/** The hub's answer, or none: `status` undefined. */
export class HubError extends TesseraeError {
  readonly status?: number;
  /** What the hub calls it in X-Error-Code. */
  readonly kind?: string;
  /** Whether a later try may succeed. */
  readonly passing: boolean;
  readonly retryAfter?: number;

  constructor(
    what: string,
    {
      status,
      kind,
      passing,
      retryAfter,
      ...detail
    }: Pick<HubError, "status" | "kind" | "retryAfter"> & {
      passing?: boolean;
      where?: string;
      hint?: string;
      cause?: unknown;
    },
  ) {
    super("io", what, detail);
    this.status = status;
    this.kind = kind;
    this.passing = passing ?? RETRIED.includes(status ?? 0);
    this.retryAfter = retryAfter;
  }
}

export interface Answer {
  readonly status: number;
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  /** Whether the hub itself answered, not a store it redirects to. */
  readonly fromHub: boolean;
  readonly body: Readable;
}

export interface Call {
  readonly method: "GET" | "HEAD";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether to follow a redirect away from the hub; such an answer's own headers describe the file. */
  readonly leave: boolean;
  readonly signal?: AbortSignal;
}

export interface HttpClient {
  /** Follows redirects. Any status is an answer. Throws HubError where there is none. */
  send(call: Call): Promise<Answer>;
}

const agents = new Map<string, Dispatcher>();

/** A tenth of a second to load, which only those pay who ask the hub. */
const library = () => import("undici");

/** One agent for each set of proxies; what the environment says nothing of must not come from process.env. */
async function agentFor(env: Environment): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await library();
  const of = (name: string) => env[name.toLowerCase()] ?? env[name] ?? "";
  const proxies = { httpProxy: of("HTTP_PROXY"), httpsProxy: of("HTTPS_PROXY"), noProxy: of("NO_PROXY") };
  const key = JSON.stringify(proxies);
  const agent = agents.get(key) ?? new EnvHttpProxyAgent({ ...proxies, connect: { timeout: 10_000 } });
  agents.set(key, agent);
  return agent;
}

/** HTTP with the proxies of the environment. The token goes to the endpoint's origin, wherever redirects lead. */
export function createHttpClient(settings: HubSettings, env: Environment): HttpClient {
  const home = new URL(settings.endpoint).origin;

  async function once(call: Call, url: URL): Promise<Answer> {
    const fromHub = url.origin === home;
    const { request } = await library();
    const { statusCode, headers, body } = await request(url, {
      method: call.method,
      dispatcher: await agentFor(env),
      signal: call.signal,
      headersTimeout: settings.answerTimeout,
      bodyTimeout: settings.idleTimeout,
      headers: {
        ...call.headers,
        "user-agent": "tesserae",
        "accept-encoding": "identity", // sizes and ranges are the file's own
        ...(settings.token && fromHub ? { authorization: `Bearer ${settings.token}` } : {}),
      },
    });
    body.on("error", () => {}); // an answer may be dropped unread
    const header = (name: string) => [headers[name]].flat()[0];
    return { status: statusCode, url, header, fromHub, body };
  }

  return {
    async send(call) {
      let url = new URL(call.url);
      for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
        const answer = await once(call, url).catch((error) => Promise.reject(unreachable(error, url, call.signal)));
        const target = redirectOf(answer);
        if (!target || (target.origin !== home && !call.leave)) return answer;
        await drop(answer);
        url = target;
      }
      throw new HubError(`redirects more than ${MOST_REDIRECTS} times`, { where: shown(new URL(call.url)) });
    },
  };
}

function redirectOf({ status, header, url }: Answer): URL | undefined {
  const location = header("location");
  if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return undefined;
  const target = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (!target || !["http:", "https:"].includes(target.protocol))
    throw new HubError("redirects to what is no web address", { where: shown(url) });
  return target;
}

/** Frees the connection of an answer whose body nobody reads. */
export async function drop(answer: Answer): Promise<void> {
  answer.body.destroy();
}

/** Without query: a signed address opens the file to whoever reads the message. */
export const shown = (url: URL): string => `${url.origin}${url.pathname}`;

/** A failure of the network as an error of ours. What the caller aborted stays the caller's. */
export function unreachable(error: unknown, url: URL, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof TesseraeError) return error;
  const code = errorCode(error) ?? errorCode((error as Error).cause) ?? "";
  const reasons: Readonly<Record<string, string>> = {
    ENOTFOUND: "there is no such host",
    EAI_AGAIN: "the name cannot be resolved",
    ECONNREFUSED: "the connection is refused",
    ECONNRESET: "the connection was cut",
    UND_ERR_SOCKET: "the connection was cut",
    UND_ERR_CONNECT_TIMEOUT: "no connection in time",
    UND_ERR_HEADERS_TIMEOUT: "no answer in time",
    UND_ERR_BODY_TIMEOUT: "no more bytes in time",
  };
  const message = error instanceof Error ? error.message.split("\n")[0] : String(error);
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_/.test(code);
  return new HubError(`cannot be reached: ${reasons[code] ?? (message || code)}`, {
    where: url.origin,
    hint: certificate
      ? "Behind a proxy with a certificate of its own, name it in NODE_EXTRA_CA_CERTS"
      : "Check the network, HTTPS_PROXY and HF_ENDPOINT, or use what is in the cache with HF_HUB_OFFLINE=1",
    passing: !certificate && code !== "ENOTFOUND",
    cause: error,
  });
}

export interface Retry {
  /** Tries without any progress after the first. */
  readonly times: number;
  /** Milliseconds before the second try; doubled for each later one. */
  readonly delay: number;
}

export const usualRetry: Retry = { times: 4, delay: 1000 };

/**
 * Calls `action` until it succeeds or fails for good. `progressed` says whether the last try brought something: then
 * the count starts anew.
 */
export async function retrying<T>(
  action: () => Promise<T>,
  {
    retry,
    signal,
    progressed = () => false,
    onWarning,
  }: { retry: Retry; signal?: AbortSignal; progressed?: () => boolean; onWarning?: (line: string) => void },
): Promise<T> {
  for (let failed = 0; ; failed++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof HubError) || !error.passing || signal?.aborted) throw error;
      if (progressed()) failed = 0;
      if (failed >= retry.times) throw error;
      const wait = Math.max(retry.delay * 2 ** failed * (0.75 + Math.random() / 2), error.retryAfter ?? 0);
      if (wait > LONGEST_WAIT) throw error;
      onWarning?.(`${error.message.split(". ")[0]}; trying again in ${(wait / 1000).toFixed(1)} s`);
      await sleep(wait, undefined, { signal });
    }
  }
}
