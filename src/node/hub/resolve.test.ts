import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeHub, startHub } from "../../../test/hub-server.ts";
import { hubInfo } from "./info.ts";
import { parseHubName, type ResolveOptions, resolvePretrained } from "./resolve.ts";
import { hubSnapshot, matching } from "./snapshot.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-hub-resolve-"));
const COMMIT = "1".repeat(40);
const text = (t: string) => new TextEncoder().encode(t);
const weights = new Uint8Array(5000).fill(3);
let hub: FakeHub;
beforeAll(async () => {
  const files = {
    "README.md": text("---\nlicense: mit\ntags:\n- timm\n---\n# A model\n"),
    "config.json": text("{}"),
    "model.safetensors": weights,
    "pytorch_model.bin": weights,
    "onnx/model.onnx": weights,
  };
  const card = { cardData: { license: "mit" }, tags: ["license:mit"] };
  hub = await startHub({
    "timm/tiny.test_in1k": { refs: { main: COMMIT, old: COMMIT }, commits: { [COMMIT]: files }, card },
    "timm/tiny.other": { refs: { main: COMMIT }, commits: { [COMMIT]: files }, card },
    "a/no-weights": { refs: { main: COMMIT }, commits: { [COMMIT]: { "config.json": text("{}") } } },
    "a/torch": {
      refs: { main: COMMIT },
      commits: { [COMMIT]: { "config.json": text("{}"), "pytorch_model.bin": weights } },
    },
    "a/own": {
      refs: { main: COMMIT },
      commits: { [COMMIT]: { "config.json": text("{}") } },
      card: { cardData: { license: "other", license_name: "own\u001b[31m-terms" } },
    },
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

let cache = "";
let runs = 0;
beforeEach(() => {
  cache = join(root, `cache${runs++}`);
  hub.requests.length = 0;
});
const env = (more: Record<string, string> = {}) => ({
  HF_ENDPOINT: hub.endpoint,
  HF_HUB_CACHE: cache,
  HF_HOME: root,
  ...more,
});
const resolve = (name: string, options: ResolveOptions = {}) =>
  resolvePretrained(name, { env: env(), retry: { times: 0, delay: 1 }, ...options });

describe("a name of pretrained weights", () => {
  it.each([
    ["tiny.test_in1k", { repo: "timm/tiny.test_in1k" }],
    ["tiny.test_in1k@old", { repo: "timm/tiny.test_in1k", revision: "old" }],
    ["timm/tiny.test_in1k", { repo: "timm/tiny.test_in1k" }],
    ["hf-hub:timm/tiny.test_in1k@refs/pr/1", { repo: "timm/tiny.test_in1k", revision: "refs/pr/1" }],
    ["https://huggingface.co/google/vit", { repo: "google/vit" }],
    ["owner/name/onnx/model.onnx", { repo: "owner/name", file: "onnx/model.onnx" }],
  ])("%s", (name, expected) => expect(parseHubName(name)).toEqual(expected));

  it.each(["resnet18", "./x", "../x/y", "/x/y", "model.onnx", "runs/model.safetensors", "", "a/../b"])(
    "is not %j",
    (name) => expect(parseHubName(name)).toBeUndefined(),
  );

  it("may be what is on this machine", async () => {
    const path = join(root, "tiny.test_in1k");
    writeFileSync(path, "x");
    expect(await resolve(path)).toEqual({ path });
    expect(hub.requests).toEqual([]);
  });

  it("gives the folder with configuration, card and one kind of weights, the licence first", async () => {
    const told: unknown[] = [];
    const onLicense = (license?: string) => told.push(license, existsSync(join(cache, "models--timm--tiny.test_in1k")));
    const found = await resolve("tiny.test_in1k", { onLicense });
    const folder = join(cache, "models--timm--tiny.test_in1k", "snapshots", COMMIT);
    expect(found).toEqual({ path: folder, hub: { repo: "timm/tiny.test_in1k", commit: COMMIT, license: "mit" } });
    expect(told).toEqual(["mit", false]);
    expect(readdirSync(folder).sort()).toEqual(["README.md", "config.json", "model.safetensors"]);
    expect(readdirSync((await resolve("a/torch")).path)).toContain("pytorch_model.bin");
  });

  it("is found offline afterwards, licence and all, and nothing is found where nothing was fetched", async () => {
    const offline = env({ HF_HUB_OFFLINE: "1" });
    await expect(resolve("tiny.test_in1k", { env: offline })).rejects.toThrow(/HF_HUB_OFFLINE is set/);
    const online = await resolve("tiny.test_in1k");
    hub.requests.length = 0;
    expect(await resolve("tiny.test_in1k", { env: offline })).toEqual(online);
    expect(await resolve(`tiny.test_in1k@${COMMIT}`, { env: offline })).toEqual(online);
    expect(hub.requests).toEqual([]);
  });

  it("may be one file", async () => {
    const found = await resolve("timm/tiny.test_in1k/onnx/model.onnx@old");
    expect(found.path.endsWith(join(COMMIT, "onnx", "model.onnx"))).toBe(true);
  });

  it("without a tag is answered with those there are", async () => {
    await expect(resolve("tiny")).rejects.toThrow(
      '"tiny" is neither a file, a folder nor a model on the hub. A timm model is named with its tag: tiny.test_in1k, tiny.other',
    );
  });

  it("of a repository without weights is refused before anything is downloaded", async () => {
    await expect(resolve("a/no-weights")).rejects.toThrow(/a\/no-weights: holds no weights of a kind that can be read/);
    expect(existsSync(join(cache, "models--a--no-weights"))).toBe(false);
  });
});

describe("a description", () => {
  it("has licence, commit and sizes", async () => {
    const info = await hubInfo("timm/tiny.test_in1k", { env: env() });
    expect(info).toMatchObject({ commit: COMMIT, license: "mit", gated: false });
    expect(info.files).toContainEqual({ path: "model.safetensors", size: 5000 });
  });

  it("names a licence that is none of the usual, without what a terminal obeys", async () => {
    expect((await hubInfo("a/own", { env: env() })).license).toBe("own [31m-terms");
  });
});

describe("a snapshot", () => {
  it("holds the files that match", async () => {
    const { files } = await hubSnapshot("timm/tiny.test_in1k", ["*.json", "onnx/"], { env: env() });
    expect(files).toEqual(["config.json", "onnx/model.onnx"]);
    await expect(hubSnapshot("timm/tiny.test_in1k", ["absent.txt"], { env: env() })).rejects.toThrow(
      "holds nothing like absent.txt at revision main",
    );
  });

  it("matches as the hub's tools do", () => {
    const files = ["a.bin", "b/a.bin", "b/c.txt", "a+bin"];
    expect(matching(files, ["*.bin"])).toEqual(["a.bin", "b/a.bin"]);
    expect(matching(files, ["b/"])).toEqual(["b/a.bin", "b/c.txt"]);
    expect(matching(files, ["?.bin", "a+bin"])).toEqual(["a.bin", "a+bin"]);
  });
});

describe("a proxy", () => {
  it("of the environment is used, save for the hosts of NO_PROXY", async () => {
    let tunnels = 0;
    const proxy = createServer();
    proxy.on("connect", (request, client) => {
      tunnels++;
      const [host, port] = request.url!.split(":");
      const server = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        server.pipe(client).pipe(server);
      });
      for (const end of [server, client]) end.on("error", () => {});
    });
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await hubInfo("a/own", { env: env({ HTTP_PROXY: address }) });
    expect(tunnels).toBe(1);
    await hubInfo("a/own", { env: env({ HTTP_PROXY: address, NO_PROXY: "127.0.0.1" }) });
    expect(tunnels).toBe(1);
    proxy.closeAllConnections();
    proxy.close();
  });
});
