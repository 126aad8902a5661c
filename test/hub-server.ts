import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubRequest {
  /** "hub", or the store of large files that it redirects to: another port, so another origin. */
  readonly server: "hub" | "store";
  readonly method: string;
  readonly path: string;
  readonly range?: string;
  readonly authorization?: string;
}

export interface FakeRepo {
  /** Branches and tags. */
  readonly refs: Record<string, string>;
  /** Commit -> path -> content. */
  readonly commits: Record<string, Record<string, Uint8Array>>;
  /** Beside sha and siblings, of the description. */
  readonly card?: Record<string, unknown>;
  /** Only with this token. */
  token?: string;
}

export interface Fault {
  /** Ends the connection after so many bytes of a body. */
  cutAfter?: number;
  /** Waits with the rest after so many bytes, for a process to be killed. */
  stallAfter?: number;
  /** Called first: what it answers is the answer. */
  answer?: (request: HubRequest, response: ServerResponse) => unknown;
  /** Applied to the bytes of large files. */
  change?: (bytes: Uint8Array) => Uint8Array;
  /** Answers ranges with all of the file. */
  ignoreRange?: boolean;
}

/** Files from this size on are "large": the hub redirects to the store, and their tag is SHA-256. */
export const LARGE = 1000;

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
export const tagOf = (bytes: Uint8Array): string => (bytes.byteLength >= LARGE ? sha256(bytes) : gitSha1(bytes));

/**
 * A hub on loopback with the addresses, redirects and headers of huggingface.co: /OWNER/NAME/resolve/REVISION/FILE,
 * /api/models/OWNER/NAME/revision/REVISION, /api/models?search=, and a store of large files on a port of its own.
 */
export async function startHub(repos: Record<string, FakeRepo>) {
  const requests: HubRequest[] = [];
  const fault: Fault = {};
  const stored = new Map<string, Uint8Array>();
  const listening: Server[] = [];

  async function listen(name: HubRequest["server"], handle: (request: HubRequest, r: ServerResponse) => void) {
    const server = createServer((message: IncomingMessage, response) => {
      const { authorization, range } = message.headers;
      const request = { server: name, method: message.method!, path: message.url!, range, authorization };
      requests.push(request);
      fault.answer?.(request, response);
      if (!response.headersSent) handle(request, response);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    listening.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function send({ method, range }: HubRequest, response: ServerResponse, all: Uint8Array): void {
    const [, first] = (!fault.ignoreRange && /^bytes=(\d+)-$/.exec(range ?? "")) || [];
    const from = Number(first ?? 0);
    if (first !== undefined && from >= all.byteLength) return void response.writeHead(416).end();
    const bytes = all.subarray(from);
    response.setHeader("content-length", bytes.byteLength);
    if (first !== undefined)
      response.setHeader("content-range", `bytes ${from}-${all.byteLength - 1}/${all.byteLength}`);
    response.writeHead(first === undefined ? 200 : 206);
    if (method === "HEAD") return void response.end();
    const most = fault.cutAfter ?? fault.stallAfter ?? bytes.byteLength;
    if (most >= bytes.byteLength) return void response.end(bytes);
    const stalls = fault.stallAfter !== undefined;
    fault.cutAfter = undefined;
    response.write(bytes.subarray(0, most), () => {
      if (!stalls) setTimeout(() => response.destroy(), 20);
    });
  }

  const store = await listen("store", (request, response) => {
    const bytes = stored.get(request.path.slice(1).split("?")[0]);
    if (!bytes) return void response.writeHead(404).end();
    response.setHeader("etag", '"of-the-store"');
    send(request, response, fault.change?.(bytes) ?? bytes);
  });

  const refuse = (response: ServerResponse, status: number, code: string) =>
    void response.writeHead(status, { "x-error-code": code }).end();

  function describe(id: string, repo: FakeRepo, commit: string, response: ServerResponse): void {
    const siblings = Object.entries(repo.commits[commit]).map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.byteLength,
    }));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ...repo.card, id, sha: commit, siblings }));
  }

  /** The listing that Python's snapshot_download reads. */
  function tree(repo: FakeRepo, commit: string, response: ServerResponse): void {
    const entries = Object.entries(repo.commits[commit]).map(([path, bytes]) => ({
      type: "file",
      path,
      size: bytes.byteLength,
      oid: gitSha1(bytes),
      ...(bytes.byteLength >= LARGE
        ? { lfs: { oid: sha256(bytes), size: bytes.byteLength, pointerSize: 130 } }
        : undefined),
    }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(entries));
  }

  function resolveFile(request: HubRequest, response: ServerResponse, bytes: Uint8Array, commit: string): void {
    response.setHeader("x-repo-commit", commit);
    if (bytes.byteLength < LARGE) {
      response.setHeader("etag", `"${gitSha1(bytes)}"`);
      send(request, response, bytes);
      return;
    }
    const hash = sha256(bytes);
    stored.set(hash, bytes);
    response.setHeader("x-linked-etag", `"${hash}"`);
    response.setHeader("x-linked-size", bytes.byteLength);
    response.writeHead(302, { location: `${store}/${hash}?signature=secret` }).end();
  }

  const endpoint = await listen("hub", (request, response) => {
    const { pathname, searchParams } = new URL(request.path, "http://hub");
    if (pathname === "/api/models") {
      const found = Object.keys(repos).filter((name) => name.includes(searchParams.get("search") ?? ""));
      return void response.end(JSON.stringify(found.map((id) => ({ id }))));
    }
    const match =
      /^\/api\/models\/(?<name>[^/]+\/[^/]+)\/(?<kind>revision|tree)\/(?<revision>[^/]+)$/.exec(pathname) ??
      /^\/(?<name>[^/]+\/[^/]+)\/(?<kind>resolve)\/(?<revision>[^/]+)\/(?<file>.+)$/.exec(pathname);
    const { name = "", kind, revision = "", file = "" } = match?.groups ?? {};
    const repo = repos[name];
    if (!repo) return refuse(response, 401, "RepoNotFound");
    if (repo.token && request.authorization !== `Bearer ${repo.token}`) return refuse(response, 403, "GatedRepo");
    const asked = decodeURIComponent(revision);
    const commit = repo.refs[asked] ?? asked;
    if (!repo.commits[commit]) return refuse(response, 404, "RevisionNotFound");
    if (kind === "revision") return describe(name, repo, commit, response);
    if (kind === "tree") return tree(repo, commit, response);
    const bytes = repo.commits[commit][decodeURIComponent(file)];
    if (!bytes) return refuse(response, 404, "EntryNotFound");
    resolveFile(request, response, bytes, commit);
  });

  return {
    endpoint,
    store,
    requests,
    /** Set and cleared by a test. */
    fault,
    async close(): Promise<void> {
      for (const server of listening) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
}

export type FakeHub = Awaited<ReturnType<typeof startHub>>;
