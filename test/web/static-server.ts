import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

export interface StaticServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Any web host: files of a folder under a path, with no code behind. `isolated` sends the headers that threads need. */
export async function serveFolder(
  folder: string,
  { under = "/", isolated = false }: { under?: string; isolated?: boolean } = {},
): Promise<StaticServer> {
  const headers = isolated
    ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
    : {};
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const inside = pathname.startsWith(under) ? normalize(decodeURIComponent(pathname.slice(under.length))) : "..";
    const file = join(folder, inside === "." || inside === "" ? "index.html" : inside);
    const bytes = inside.startsWith("..") ? undefined : await readFile(file).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, {
      ...headers,
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    });
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
