import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeHub, gitSha1, sha256, startHub } from "../../../test/hub-server.ts";
import { faultyFileSystem } from "../faulty-file-system.ts";
import { compileForChild } from "../test-child.ts";
import type { Progress } from "./blob.ts";
import { type HubOptions, hubFile } from "./file.ts";
import { hubInfo } from "./info.ts";

const [FIRST, SECOND] = ["1".repeat(40), "2".repeat(40)];
const bytesOf = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) & 255);
const config = new TextEncoder().encode('{"architecture":"resnet18"}');
const weights = bytesOf(300_000, 7);
const newer = bytesOf(300_000, 11);

const root = mkdtempSync(join(tmpdir(), "tesserae-hub-"));
let hub: FakeHub;
let cache = "";
let runs = 0;
const repo = "timm/tiny.test_in1k";

beforeAll(async () => {
  hub = await startHub({
    [repo]: {
      refs: { main: FIRST, "v1.0": FIRST, "refs/pr/1": SECOND },
      commits: {
        [FIRST]: { "config.json": config, "model.safetensors": weights, "onnx/model.onnx": config },
        [SECOND]: { "config.json": config, "model.safetensors": newer },
      },
      card: { cardData: { license: "apache-2.0" } },
    },
    "owner/private": {
      refs: { main: FIRST },
      commits: { [FIRST]: { "model.safetensors": weights } },
      token: "hf_secret",
    },
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  cache = join(root, `cache${runs++}`);
  hub.requests.length = 0;
});
afterEach(() => {
  for (const name of Object.keys(hub.fault)) delete hub.fault[name as keyof typeof hub.fault];
});

const env = (more: Record<string, string> = {}) => ({
  HF_ENDPOINT: hub.endpoint,
  HF_HUB_CACHE: cache,
  HF_HOME: join(root, "home"),
  ...more,
});
const get = (file: string, options: HubOptions = {}, name = repo) =>
  hubFile(name, file, { env: env(), fs: faultyFileSystem(), retry: { times: 3, delay: 1 }, ...options });

const storage = () => join(cache, "models--timm--tiny.test_in1k");
const blobs = () => readdirSync(join(storage(), "blobs"));
const downloads = () => hub.requests.filter((r) => r.server === "store");

describe("a file of the hub", () => {
  it("lies in the cache as Hugging Face's tools lay it out", async () => {
    const path = await get("model.safetensors");
    expect(path).toBe(join(storage(), "snapshots", FIRST, "model.safetensors"));
    expect(readlinkSync(path)).toBe(`../../blobs/${sha256(weights)}`);
    expect(sha256(readFileSync(path))).toBe(sha256(weights));
    expect(readFileSync(join(storage(), "refs/main"), "utf8")).toBe(FIRST);
    const nested = await get("onnx/model.onnx");
    expect(readlinkSync(nested)).toBe(`../../../blobs/${gitSha1(config)}`);
    expect(blobs().sort()).toEqual([sha256(weights), gitSha1(config)].sort());
  });

  it("is downloaded once", async () => {
    await get("model.safetensors");
    await get("model.safetensors");
    expect(downloads()).toHaveLength(1);
    await get("model.safetensors", { revision: "v1.0" });
    expect(downloads()).toHaveLength(1);
    expect(readFileSync(join(storage(), "refs/v1.0"), "utf8")).toBe(FIRST);
  });

  it("of a commit is not asked for again", async () => {
    await get("model.safetensors", { revision: FIRST });
    hub.requests.length = 0;
    await get("model.safetensors", { revision: FIRST });
    expect(hub.requests).toEqual([]);
    expect(existsSync(join(storage(), "refs"))).toBe(false);
  });

  it("is the one of its branch, tag or commit", async () => {
    const path = await get("model.safetensors", { revision: "refs/pr/1" });
    expect(sha256(readFileSync(path))).toBe(sha256(newer));
    expect(readFileSync(join(storage(), "refs/refs/pr/1"), "utf8")).toBe(SECOND);
  });

  it("reports its progress in bytes", async () => {
    const seen: Progress[] = [];
    await get("model.safetensors", { onProgress: (p) => seen.push(p) });
    expect(seen[0]).toEqual({ file: "model.safetensors", received: 0, total: weights.byteLength });
    expect(seen.at(-1)).toEqual({ file: "model.safetensors", received: weights.byteLength, total: weights.byteLength });
    expect(seen.every((p, i) => i === 0 || p.received > seen[i - 1].received)).toBe(true);
  });

  it("stops when told, keeps what came, and goes on from there", async () => {
    const stop = new AbortController();
    hub.fault.stallAfter = 100_000;
    const onProgress = ({ received }: Progress) => received >= 100_000 && stop.abort();
    await expect(get("model.safetensors", { signal: stop.signal, onProgress })).rejects.toThrow(/abort/);
    expect(blobs()).toEqual([`${sha256(weights)}.tesserae.incomplete`]);
    hub.fault.stallAfter = undefined;
    await get("model.safetensors");
    expect(downloads().at(-1)!.range).toBe("bytes=100000-");
    expect(blobs()).toEqual([sha256(weights)]);
  });
});

describe("a download that is cut", () => {
  it("goes on where it ended, by itself", async () => {
    hub.fault.cutAfter = 70_000;
    const path = await get("model.safetensors");
    expect(downloads().map((r) => r.range)).toEqual([undefined, "bytes=70000-"]);
    expect(sha256(readFileSync(path))).toBe(sha256(weights));
  });

  it("by the death of its process goes on in the next one", async () => {
    const base = resolve(fileURLToPath(import.meta.url), "../../../../.tmp");
    mkdirSync(base, { recursive: true });
    const folder = mkdtempSync(join(base, "child-"));
    try {
      const module = compileForChild("node/hub/file.ts", folder);
      hub.fault.stallAfter = 150_000;
      const script = `
        import { hubFile } from ${JSON.stringify(module)};
        await hubFile(${JSON.stringify(repo)}, "model.safetensors", { onProgress: (p) => console.log(p.received) });`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, ...env() },
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout.on("data", (text: Buffer) => text.toString().includes("150000") && child.kill("SIGKILL"));
      await new Promise((done) => child.on("close", done));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const partial = join(storage(), "blobs", `${sha256(weights)}.tesserae.incomplete`);
    expect(blobs()).toEqual([`${sha256(weights)}.tesserae.incomplete`]);
    const kept = statSync(partial).size;
    expect(kept).toBe(150_000);
    hub.fault.stallAfter = undefined;
    const path = await get("model.safetensors");
    expect(downloads().at(-1)!.range).toBe(`bytes=${kept}-`);
    expect(sha256(readFileSync(path))).toBe(sha256(weights));
  });

  it("starts anew where the server knows no ranges", async () => {
    hub.fault.cutAfter = 70_000;
    hub.fault.ignoreRange = true;
    expect(sha256(readFileSync(await get("model.safetensors")))).toBe(sha256(weights));
  });

  it("takes the new file where the branch moved meanwhile", async () => {
    hub.fault.cutAfter = 70_000;
    await expect(get("model.safetensors", { retry: { times: 0, delay: 1 } })).rejects.toThrow(/cut|ended/);
    const path = await get("model.safetensors", { revision: "refs/pr/1" });
    expect(downloads().at(-1)!.range).toBeUndefined();
    expect(sha256(readFileSync(path))).toBe(sha256(newer));
  });

  it("asks again where the file has another ETag than at first", async () => {
    let version = config;
    hub.fault.answer = ({ path, method }, response) => {
      if (!path.includes("config.json")) return;
      const served = method === "HEAD" ? version : new TextEncoder().encode('{"architecture":"resnet34"}');
      version = served;
      response.writeHead(200, {
        "x-repo-commit": FIRST,
        etag: `"${gitSha1(served)}"`,
        "content-length": served.byteLength,
      });
      response.end(method === "HEAD" ? undefined : served);
    };
    expect(readFileSync(await get("config.json"), "utf8")).toContain("resnet34");
  });
});

describe("wrong bytes", () => {
  const flip = (bytes: Uint8Array) => bytes.map((b, i) => (i === 12_345 ? b ^ 1 : b));

  it("are refused, and nothing is left", async () => {
    hub.fault.change = flip;
    await expect(get("model.safetensors")).rejects.toThrow(
      /refused: the bytes of model.safetensors do not have the hash/,
    );
    expect(blobs()).toEqual([]);
    expect(existsSync(join(storage(), "snapshots"))).toBe(false);
  });

  it("of a small file too, by git's hash", async () => {
    hub.fault.answer = ({ path, method }, response) => {
      if (!path.includes("config.json")) return;
      const headers = { "x-repo-commit": FIRST, etag: `"${gitSha1(config)}"`, "content-length": config.byteLength };
      response.writeHead(200, headers).end(method === "HEAD" ? undefined : config.map((b) => b ^ 1));
    };
    await expect(get("config.json")).rejects.toThrow(/do not have the hash/);
  });

  it("of an earlier try are thrown away, and all is downloaded anew", async () => {
    hub.fault.change = flip;
    hub.fault.cutAfter = 70_000;
    await expect(get("model.safetensors", { retry: { times: 0, delay: 1 } })).rejects.toThrow(/cut|ended/);
    hub.fault.change = undefined;
    const warnings: string[] = [];
    const path = await get("model.safetensors", { onWarning: (line) => warnings.push(line) });
    expect(sha256(readFileSync(path))).toBe(sha256(weights));
    expect(warnings.join()).toContain("downloading it anew");
  });

  it("too many or too few of them are refused", async () => {
    hub.fault.change = (bytes) => new Uint8Array([...bytes, 0]);
    await expect(get("model.safetensors")).rejects.toThrow(/sends more than the 300000 bytes/);
    hub.fault.change = (bytes) => bytes.subarray(0, 1000);
    await expect(get("model.safetensors", { revision: SECOND })).rejects.toThrow(
      /ended after 1000 of 300000 bytes|behind/,
    );
    expect(blobs().filter((name) => !name.endsWith(".incomplete"))).toEqual([]);
  });
});

describe("the token", () => {
  it("goes to the hub and to no other origin", async () => {
    await get("model.safetensors", { env: env({ HF_TOKEN: "hf_secret" }) }, "owner/private");
    expect(hub.requests.filter((r) => r.server === "hub").map((r) => r.authorization)).toEqual([
      "Bearer hf_secret",
      "Bearer hf_secret",
    ]);
    expect(downloads().map((r) => r.authorization)).toEqual([undefined]);
  });

  it("is dropped where the hub redirects an API call to another host", async () => {
    hub.fault.answer = ({ server, path }, response) => {
      if (server === "store") return response.writeHead(200).end("{}");
      return path.startsWith("/api") && response.writeHead(307, { location: `${hub.store}/stolen` }).end();
    };
    await expect(hubInfo(repo, { env: env({ HF_TOKEN: "hf_secret" }) })).rejects.toThrow();
    expect(downloads().filter((r) => r.authorization)).toEqual([]);
  });

  it("is in no message, nor is a signature", async () => {
    hub.fault.answer = ({ server }, response) => server === "store" && response.writeHead(418).end();
    const failed = await get("model.safetensors", { env: env({ HF_TOKEN: "hf_secret" }) }, "owner/private").catch(
      String,
    );
    expect(failed).toContain("418");
    expect(failed).not.toMatch(/secret/);
  });
});

describe("what the hub refuses", () => {
  it("is told by what is to be done", async () => {
    await expect(get("model.safetensors", {}, "owner/none")).rejects.toThrow(
      "owner/none: there is no such repository, or it is private (401). Check the name; for a private one set HF_TOKEN",
    );
    await expect(get("model.safetensors", {}, "owner/private")).rejects.toThrow(
      `access is refused (403). Accept the authors' terms at ${hub.endpoint}/owner/private, then set HF_TOKEN`,
    );
    await expect(get("model.bin")).rejects.toThrow('holds no file "model.bin" at revision main');
    await expect(get("model.safetensors", { revision: "v9" })).rejects.toThrow('has no revision "v9"');
  });

  it.each([429, 500, 503])("is tried again after %i", async (status) => {
    let failures = 2;
    hub.fault.answer = (_, response) => failures-- > 0 && response.writeHead(status, { "retry-after": "0" }).end();
    const warnings: string[] = [];
    await get("model.safetensors", { onWarning: (line) => warnings.push(line) });
    expect(warnings).toHaveLength(2);
  });

  it("is an error after some tries, not at the first", async () => {
    hub.fault.answer = (_, response) => response.writeHead(503).end();
    await expect(get("model.safetensors")).rejects.toThrow(/answers with status 503/);
    expect(hub.requests).toHaveLength(4);
  });

  it("for longer than a user waits is an error at once", async () => {
    hub.fault.answer = (_, response) => response.writeHead(429, { "retry-after": "3600" }).end();
    await expect(get("model.safetensors")).rejects.toThrow(/asks to wait: too many requests \(429\)/);
    expect(hub.requests).toHaveLength(1);
  });

  it("is no endless redirect", async () => {
    hub.fault.answer = ({ path }, response) => response.writeHead(307, { location: path }).end();
    await expect(get("model.safetensors")).rejects.toThrow(/redirects more than 10 times/);
    hub.fault.answer = (_, response) => response.writeHead(307, { location: "file:///etc/passwd" }).end();
    await expect(get("model.safetensors")).rejects.toThrow(/redirects to what is no web address/);
  });
});

describe("offline", () => {
  it("gives what the cache holds, without a request", async () => {
    const path = await get("model.safetensors");
    hub.requests.length = 0;
    expect(await get("model.safetensors", { env: env({ HF_HUB_OFFLINE: "1" }) })).toBe(path);
    expect(hub.requests).toEqual([]);
  });

  it("says what is missing", async () => {
    await expect(get("model.safetensors", { env: env({ HF_HUB_OFFLINE: "1" }) })).rejects.toThrow(
      "HF_HUB_OFFLINE is set, and the cache does not hold model.safetensors at revision main",
    );
  });

  it("without being told so gives what the cache holds, with a warning", async () => {
    const path = await get("model.safetensors");
    const warnings: string[] = [];
    const gone = env({ HF_ENDPOINT: "http://127.0.0.1:1" });
    expect(await get("model.safetensors", { env: gone, onWarning: (line) => warnings.push(line) })).toBe(path);
    expect(warnings).toEqual([
      expect.stringContaining("using model.safetensors of timm/tiny.test_in1k from the cache"),
    ]);
    await expect(get("config.json", { env: gone })).rejects.toThrow(/cannot be reached: the connection is refused/);
  });
});

describe("the disk", () => {
  it.each(["ENOSPC", "EIO"])("that fails (%s) while writing leaves nothing that looks complete", async (code) => {
    const clean = faultyFileSystem();
    await get("model.safetensors", { fs: clean });
    const at = clean.calls.findIndex((call) => call.startsWith("write")) + 2;
    rmSync(cache, { recursive: true });
    const failing = get("model.safetensors", { fs: faultyFileSystem({ at, code, dead: true }) });
    await expect(failing).rejects.toThrow(new RegExp(`cannot download model.safetensors: .*${code}`));
    expect(blobs().filter((name) => !name.endsWith(".incomplete"))).toEqual([]);
    expect(sha256(readFileSync(await get("model.safetensors")))).toBe(sha256(weights));
  });
});

describe("several at once", () => {
  it("download a file once, also from two processes' view", async () => {
    const paths = await Promise.all([get("model.safetensors"), get("model.safetensors"), get("model.safetensors")]);
    expect(new Set(paths).size).toBe(1);
    expect(downloads()).toHaveLength(1);
    expect(readdirSync(join(cache, ".locks", "models--timm--tiny.test_in1k"))).toEqual([]);
  });
});
