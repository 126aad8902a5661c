import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { TesseraeError } from "../../errors.ts";
import { createEngine } from "../engine.ts";
import { errorCode } from "../file-system.ts";
import type { OrtOptions } from "../ort.ts";
import { type Answer, Answers, NotFound } from "./answers.ts";
import { type Asset, loadAssets } from "./assets.ts";
import { TooLarge } from "./body.ts";
import { checkRoots } from "./folders.ts";
import { checkLoopback, checkPort, foreign, HEADERS, hasToken, hostHeader, newToken } from "./guard.ts";
import type { NamedModel } from "./models.ts";

export interface StudioOptions {
  /** Run folders, and folders of run folders. */
  readonly runs: readonly string[];
  /** Models that are no run's. */
  readonly models?: readonly NamedModel[];
  /** Default 127.0.0.1; only addresses of this machine alone. */
  readonly host?: string;
  /** Default 0: one that is free. */
  readonly port?: number;
  /** Where models run. */
  readonly engine?: OrtOptions;
  /** Told of errors that are no fault of a request. */
  readonly onError?: (error: unknown) => void;
}

export interface StudioServer {
  /** What to open: the address with the token in its fragment, which browsers send to nobody. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  close(): Promise<void>;
}

/** Requests and streams open at a time. */
const MOST_CONNECTIONS = 128;

function statusOf(error: unknown): number {
  if (error instanceof NotFound) return 404;
  if (error instanceof TooLarge) return 413;
  if (!(error instanceof TesseraeError)) return 500;
  return error.code === "internal" ? 500 : error.code === "runtime" ? 503 : 422;
}

function send(response: ServerResponse, status: number, answer: Exclude<Answer, undefined>): void {
  const chunks = answer.chunks.map((c) => (typeof c === "string" ? Buffer.from(c) : c));
  const length = chunks.reduce((sum, c) => sum + c.length, 0);
  response.writeHead(status, { "content-type": answer.type, "content-length": length });
  for (const chunk of chunks) response.write(chunk);
  response.end();
}

const sendText = (response: ServerResponse, status: number, text: string): void =>
  send(response, status, { type: "text/plain; charset=utf-8", chunks: [text] });

/** Decoded parts of a path; undefined where it is no path. */
function partsOf(path: string): string[] | undefined {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

interface Studio {
  readonly hosts: ReadonlySet<string>;
  readonly token: string;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly answers: Answers;
  readonly onError: (error: unknown) => void;
}

async function handle(studio: Studio, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  const refusal = foreign(request, studio.hosts);
  if (refusal) return sendText(response, refusal.status, refusal.why);
  const [path, query = ""] = (request.url ?? "").split("?", 2);
  const parts = partsOf(path);
  if (parts?.[0] !== "api") return sendAsset(studio, path, request, response);
  if (!hasToken(request, studio.token)) return sendText(response, 401, "the token is missing or wrong");
  const answer = await studio.answers.answer({
    ...{ request, response, path: parts.slice(1), query: new URLSearchParams(query) },
  });
  if (answer) send(response, 200, answer);
}

/** The page's own files are no secret: they are the package's. */
function sendAsset({ assets }: Studio, path: string, { method }: IncomingMessage, response: ServerResponse): void {
  const asset = assets.get(path);
  if (!asset) sendText(response, 404, "there is no such page");
  else if (method !== "GET" && method !== "HEAD") sendText(response, 405, "pages are only read");
  else send(response, 200, { type: asset.type, chunks: [asset.bytes] });
}

function fail(studio: Studio, error: unknown, response: ServerResponse): void {
  const status = statusOf(error);
  if (status === 500) studio.onError(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  // What is left of a body that is too large is not read.
  if (status === 413) response.setHeader("connection", "close");
  sendText(
    response,
    status,
    error instanceof TesseraeError ? error.message : "the studio failed; its terminal says how",
  );
}

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const code = errorCode(error);
      const why = code === "EADDRINUSE" ? "the port is in use" : `cannot listen (${code ?? error.message})`;
      reject(new TesseraeError("io", why, { where: hostHeader(host, port), hint: "Choose another with --port" }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

/** Names by which a browser of this machine may call the server. */
const hostsOf = (host: string, port: number): ReadonlySet<string> =>
  new Set([hostHeader(host, port), ...(host === "localhost" ? [] : [hostHeader("localhost", port)])]);

/**
 * Serves the studio's page and what it asks about runs, to this machine alone and to those who have the token. Throws
 * TesseraeError: "usage" for folders that are none and addresses of others, "io" where the port is taken.
 */
export async function startStudio(options: StudioOptions): Promise<StudioServer> {
  const host = checkLoopback(options.host ?? "127.0.0.1");
  const wanted = checkPort(options.port ?? 0);
  const token = newToken();
  const answers = new Answers(await checkRoots(options.runs), options.models ?? [], () => createEngine(options.engine));
  const assets = await loadAssets();
  const server = createServer({ maxHeaderSize: 16 * 1024, headersTimeout: 20_000, requestTimeout: 120_000 });
  server.maxConnections = MOST_CONNECTIONS;
  const port = await listen(server, host, wanted);
  const studio: Studio = {
    ...{ hosts: hostsOf(host, port), token, assets, answers },
    onError: options.onError ?? (() => {}),
  };
  server.on("request", (request, response) => {
    handle(studio, request, response).catch((error) => fail(studio, error, response));
  });
  return {
    ...{ port, token, url: `http://${hostHeader(host, port)}/#token=${token}` },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      await answers.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
