import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createModel } from "../src/models/index.ts";
import { specOf } from "../src/models/spec.ts";
import { initialize } from "../src/models/trace.ts";
import { createEngine } from "../src/node/engine.ts";
import { openTrained } from "../src/node/model-files.ts";
import { createPredictor } from "../src/node/predictor.ts";
import { type StudioServer, startStudio } from "../src/node/studio/index.ts";
import type { NamedModel } from "../src/node/studio/models.ts";
import type { RunCurves, RunDetails, RunEntry } from "../src/studio/run.ts";
import { decodeEvidence, decodeFloats, decodeInfo, decodePrediction } from "../src/studio/wire.ts";
import { buildStudioPage, trainedRuns } from "./studio-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-studio-"));
const at = (...path: string[]) => join(folder, ...path);
let studio: StudioServer;
let image: Buffer;

beforeAll(async () => {
  await trainedRuns(folder);
  image = readFileSync(at("shapes", "val", "star", "00000.png"));
  writeFileSync(at("secret.txt"), "the secret");
  buildStudioPage();
  studio = await startStudio({ runs: [at("runs")], models: await namedModels(), engine: { threads: 1 } });
});
afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A model that is called as a run is, and one without a classifier. */
async function namedModels(): Promise<NamedModel[]> {
  const options = { img_size: 16, patch_size: 8, embed_dim: 8, depth: 1, num_heads: 1, num_classes: 0 };
  const model = createModel("vit_tiny_patch16_224", options);
  const bare = {
    kind: "weights",
    path: "bare",
    spec: specOf(model, []),
    weights: initialize(model, 0),
    warnings: [],
  } as const;
  return [
    { name: "vit", trained: await openTrained(at("runs", "vit", "model.onnx"), { asWeights: true }) },
    { name: "bare", trained: bare },
  ];
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Without the token. */
  readonly bare?: boolean;
}

/** Asks as any program could: nothing of path or headers is tidied up. */
function ask(path: string, { method = "GET", headers = {}, body, bare = false }: Asked = {}): Promise<Reply> {
  const token = bare ? {} : { authorization: `Bearer ${studio.token}` };
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port: studio.port, path, method, headers: { ...token, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode as number, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

const json = async <T>(path: string): Promise<T> => JSON.parse((await ask(path)).body.toString()) as T;
const post = (path: string, body: Uint8Array, headers = {}) => ask(path, { method: "POST", body, headers });

describe("who may ask the studio", () => {
  it("nobody without the token, whatever else is right", async () => {
    for (const path of ["/api/runs", "/api/runs/vit", "/api/models", "/api/models/vit", "/api/events"])
      expect((await ask(path, { bare: true })).status, path).toBe(401);
    const tries = [`Bearer ${studio.token}x`, `Bearer ${studio.token.slice(1)}`, `Basic ${studio.token}`, "Bearer "];
    for (const authorization of tries)
      expect((await ask("/api/runs", { headers: { authorization } })).status, authorization).toBe(401);
    expect((await ask(`/api/runs?token=${studio.token}`, { bare: true })).status).toBe(401);
    expect((await ask("/api/runs", { bare: true, headers: { cookie: `token=${studio.token}` } })).status).toBe(401);
    expect((await ask("/api/runs")).status).toBe(200);
  });

  it("no name that is pointed at this machine (DNS rebinding)", async () => {
    const hosts = [
      "evil.example",
      `evil.example:${studio.port}`,
      "127.0.0.1",
      `127.0.0.1:${studio.port + 1}`,
      "localhost",
    ];
    for (const host of hosts) {
      expect((await ask("/api/runs", { headers: { host } })).status, host).toBe(421);
      expect((await ask("/", { headers: { host } })).status, host).toBe(421);
    }
    expect((await ask("/api/runs", { headers: { host: `LOCALHOST:${studio.port}` } })).status).toBe(200);
  });

  it("no other page, even with the token", async () => {
    const own = `http://127.0.0.1:${studio.port}`;
    const foreign = [
      "https://evil.example",
      "null",
      own.replace("http", "https"),
      `http://127.0.0.1:1`,
      `${own}.evil.example`,
    ];
    for (const origin of foreign) expect((await ask("/api/runs", { headers: { origin } })).status, origin).toBe(403);
    for (const site of ["cross-site", "same-site"])
      expect((await ask("/api/runs", { headers: { "sec-fetch-site": site } })).status, site).toBe(403);
    expect((await ask("/api/runs", { headers: { origin: own, "sec-fetch-site": "same-origin" } })).status).toBe(200);
    expect((await ask("/api/runs")).headers["access-control-allow-origin"]).toBeUndefined();
    expect((await ask("/api/runs", { method: "OPTIONS", headers: { origin: "https://evil.example" } })).status).toBe(
      403,
    );
  });

  it("no other machine: it listens on the loopback address alone", async () => {
    await expect(startStudio({ runs: [at("runs")], host: "0.0.0.0" })).rejects.toThrow(
      "not an address of this machine alone",
    );
    await expect(startStudio({ runs: [at("runs")], host: "example.com" })).rejects.toThrow("SSH tunnel");
    const others = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter((i) => !i.internal && i.family === "IPv4").map((i) => i.address),
    );
    for (const host of others) {
      const reached = await new Promise((resolve) => {
        const socket = connect({ host, port: studio.port, timeout: 2000 });
        for (const name of ["error", "timeout"]) socket.on(name, () => resolve(false));
        socket.on("connect", () => resolve(true));
        socket.on("close", () => socket.destroy());
      });
      expect(reached, host).toBe(false);
    }
  });
});

describe("what the studio gives away", () => {
  it("the page's files and nothing else of the disk, however it is asked", async () => {
    expect((await ask("/", { bare: true })).body.toString()).toContain('<div id="app">');
    const paths = ["/../package.json", "/%2e%2e/package.json", "/..%2fpackage.json", "/assets/../../package.json"];
    const more = [
      "/assets",
      "/assets/",
      "//etc/passwd",
      "/etc/passwd",
      "/static.html",
      "/C:/x",
      "/index.html/",
      "/%00",
    ];
    const encoded = encodeURIComponent(at("secret.txt"));
    for (const path of [...paths, ...more, `/${encoded}`, "/%E0%A4%A"]) {
      const { status, body } = await ask(path);
      expect(status, path).toBe(404);
      expect(body.toString()).not.toMatch(/secret|"name"|root:/);
    }
    expect((await ask("/", { method: "POST" })).status).toBe(405);
  });

  it("runs by name alone: no path leads out of the folders", async () => {
    mkdirSync(at("outside", "run"), { recursive: true });
    writeFileSync(at("outside", "run", "config.json"), readFileSync(at("runs", "vit", "config.json")));
    const ids = [
      "..",
      "../outside/run",
      "..%2foutside%2frun",
      "%2e%2e%2foutside%2frun",
      ".",
      "vit/../vit",
      "vit%2f..",
      "vit%00",
    ];
    for (const id of ids)
      for (const path of [`/api/runs/${id}`, `/api/models/${id}`, `/api/events?run=${id}`])
        expect((await ask(path)).status, path).toBe(404);
    const bodies = await post("/api/models/..%2foutside%2frun/predict", image);
    expect(bodies.status).toBe(404);
  });

  it("nothing behind links: neither a linked run nor a linked file", async () => {
    symlinkSync(at("outside", "run"), at("runs", "linked"));
    mkdirSync(at("runs", "trap"));
    writeFileSync(at("runs", "trap", "config.json"), readFileSync(at("runs", "vit", "config.json")));
    const line = JSON.stringify({ type: "step", step: 1, epoch: 0, loss: 42.4242, time: "" });
    writeFileSync(at("outside", "metrics.jsonl"), `${line}\n`);
    writeFileSync(at("outside", "summary.csv"), "epoch,train_loss\n0,42.4242\n");
    writeFileSync(at("outside", "per-class.csv"), "class,images\nsecret,1\n");
    for (const file of ["metrics.jsonl", "summary.csv", "per-class.csv"])
      symlinkSync(at("outside", file), at("runs", "trap", file));
    symlinkSync(at("runs", "vit"), at("runs", "trap", "checkpoint-00000001"));
    try {
      expect((await json<RunEntry[]>("/api/runs")).map((r) => r.id).sort()).toEqual(["mixer", "trap", "vit"]);
      expect((await ask("/api/runs/linked")).status).toBe(404);
      const details = (await ask("/api/runs/trap")).body.toString();
      expect(details).not.toMatch(/42\.4242|secret/);
      const stream = await firstEvent("trap");
      expect(stream).toEqual({ id: "trap", curves: { whole: true, steps: [], epochs: [] } });
      const { status, body } = await post("/api/models/trap/predict", image);
      expect([status, body.toString()]).toEqual([
        422,
        "trap: checkpoint-00000001 is a link that leads out of the run's folder",
      ]);
    } finally {
      rmSync(at("runs", "trap"), { recursive: true });
      rmSync(at("runs", "linked"));
    }
  });

  it("answers that no other page can frame, sniff or read", async () => {
    for (const reply of [
      await ask("/"),
      await ask("/api/runs"),
      await ask("/none"),
      await ask("/api/runs", { bare: true }),
    ]) {
      const policy = reply.headers["content-security-policy"] as string;
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(reply.headers["x-content-type-options"]).toBe("nosniff");
      expect(reply.headers["cross-origin-resource-policy"]).toBe("same-origin");
      expect(reply.headers["cache-control"]).toBe("no-store");
    }
  });
});

/** A PNG of so many pixels that says no more than its size. */
function hugePng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(1000));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe("what may be sent to the studio", () => {
  const predict = "/api/models/vit/predict";

  it("no file above the limit, told or untold, and no picture of too many pixels", async () => {
    const told = await ask(predict, { method: "POST", headers: { "content-length": String(2 ** 30) } }).catch((e) => e);
    expect(told.status ?? told.code).toBe(413);
    const untold = await post(predict, Buffer.alloc(33 * 2 ** 20), { "transfer-encoding": "chunked" }).catch((e) => e);
    expect([413, "ECONNRESET", "EPIPE"]).toContain(untold.status ?? untold.code);
    const { status, body } = await post(predict, hugePng(40_000, 40_000));
    expect(status).toBe(422);
    expect(body.toString()).toMatch(/^the image: /);
  });

  it("no file that is no image, in one line", async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from("hello"),
      Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>"),
      image.subarray(0, 60),
    ]) {
      const { status, body } = await post(predict, bytes);
      expect(status).toBe(422);
      expect(body.toString()).toMatch(/^the image: [^\n]+$/);
    }
  });

  it("no question that makes no sense", async () => {
    const asked: [string, number][] = [
      ["/api/models/vit/attention?layer=blocks.9.attn", 422],
      ["/api/models/vit/attention", 422],
      ["/api/models/mixer/attention?layer=blocks.0.attn", 422],
      ["/api/models/vit/evidence?method=gradcam&class=8", 422],
      ["/api/models/vit/evidence?method=gradcam", 422],
      ["/api/models/vit/evidence?method=__proto__&class=0", 422],
      ["/api/models/vit/predict?top=0", 422],
      ["/api/models/vit/constructor", 404],
      ["/api/models/none/predict", 404],
    ];
    for (const [path, status] of asked) expect((await post(path, image)).status, path).toBe(status);
    expect((await ask("/api/models/vit/predict")).status).toBe(404);
    expect((await ask("/api/nothing")).status).toBe(404);
    expect((await ask(`/api/events?${Array.from({ length: 30 }, (_, i) => `run=${i}`).join("&")}`)).status).toBe(422);
  });
});

/** The first curves that a stream sends. */
function firstEvent(id: string): Promise<{ id: string; curves: RunCurves }> {
  return new Promise((resolve, reject) => {
    const stop = watchEvents(id, (event) => {
      stop();
      resolve(event);
    });
    setTimeout(() => reject(new Error("no event")), 20_000).unref();
  });
}

function watchEvents(id: string, on: (event: { id: string; curves: RunCurves }) => void): () => void {
  const headers = { authorization: `Bearer ${studio.token}` };
  const sent = request({ host: "127.0.0.1", port: studio.port, path: `/api/events?run=${id}`, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop() as string;
      for (const block of blocks) {
        const data = /^event: curves\ndata: (.*)$/.exec(block)?.[1];
        if (data) on(JSON.parse(data));
      }
    });
    response.on("error", () => {});
  });
  sent.on("error", () => {});
  sent.end();
  return () => sent.destroy();
}

describe("what the studio says of runs", () => {
  it("their state, best figure, model and data; and a line of each class", async () => {
    const runs = await json<RunEntry[]>("/api/runs");
    const vit = runs.find((r) => r.id === "vit") as RunEntry;
    expect(vit).toMatchObject({ model: "vit_tiny_patch16_224", state: "finished", epochs: 2, planned: 2, classes: 8 });
    expect(vit.best?.top1).toBeTypeOf("number");
    const { classes, facts } = await json<RunDetails>("/api/runs/vit");
    expect(classes).toHaveLength(8);
    expect(facts.flatMap((g) => g.facts).find(([name]) => name === "--model-kwargs")?.[1]).toContain("patch_size=4");
    const differences = await json<{ name: string }[]>("/api/differences?run=vit&run=mixer");
    expect(differences.map((d) => d.name)).toContain("model");
  });

  it("a run that is damaged is left out, the others stay", async () => {
    mkdirSync(at("runs", "broken"));
    for (const text of [
      "{",
      "{}",
      '{"format":"tesserae-run"}',
      '{"format":"tesserae-run","settings":1,"spec":{"name":3}}',
    ]) {
      writeFileSync(at("runs", "broken", "config.json"), text);
      expect((await json<RunEntry[]>("/api/runs")).map((r) => r.id).sort(), text).toEqual(["mixer", "vit"]);
    }
    rmSync(at("runs", "broken"), { recursive: true });
  });

  it("curves that grow with the journal, and begin anew when it is cut and written on", async () => {
    const journal = at("runs", "mixer", "metrics.jsonl");
    const before = readFileSync(journal);
    const seen: RunCurves[] = [];
    const stop = watchEvents("mixer", ({ curves }) => seen.push(curves));
    const until = async (there: () => boolean) => {
      for (let i = 0; i < 400 && !there(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(there()).toBe(true);
    };
    try {
      await until(() => seen.length === 1);
      expect(seen[0].whole).toBe(true);
      const line = (step: number, loss: number) =>
        `${JSON.stringify({ type: "step", step, epoch: 1, loss, lr: 0.001, time: "" })}\n`;
      const [half, rest] = [line(900, 0.5).slice(0, 20), line(900, 0.5).slice(20)];
      appendFileSync(journal, line(800, 0.75) + half);
      await until(() => seen.length === 2);
      appendFileSync(journal, rest);
      await until(() => seen.length === 3);
      expect(seen.slice(1).map((c) => [c.whole, c.steps.map((s) => s.step)])).toEqual([
        [false, [800]],
        [false, [900]],
      ]);
      // As a run does that is resumed: cut, then written on past where the reader was.
      truncateSync(journal, before.length);
      appendFileSync(journal, line(700, 0.8) + line(701, 0.8) + line(702, 0.8) + line(703, 0.8));
      await until(() => seen.length === 4);
      expect(seen[3].whole).toBe(true);
      expect(seen[3].steps.slice(-4).map((s) => s.step)).toEqual([700, 701, 702, 703]);
      expect(seen[3].steps).toHaveLength(seen[0].steps.length + 4);
    } finally {
      stop();
      writeFileSync(journal, before);
    }
  });
});

describe("what the studio says of an image", () => {
  it("what predict says", async () => {
    const engine = await createEngine({ threads: 1 });
    const predictor = await createPredictor(await openTrained(at("runs", "vit")), engine);
    const path = at("shapes", "val", "star", "00000.png");
    expect(decodePrediction((await post("/api/models/vit/predict?top=8", image)).body).top).toEqual(
      await predictor.predict(path, { top: 8 }),
    );
    await engine.dispose();
  });

  it("of models that are no runs too, and what one without a classifier can", async () => {
    const list = await json<{ id: string }[]>("/api/models");
    expect(list.map((m) => m.id).sort()).toEqual(["bare", "mixer", "vit", "vit~2"]);
    const [run, own] = [await post("/api/models/vit/predict", image), await post("/api/models/vit~2/predict", image)];
    expect(decodePrediction(own.body)).toEqual(decodePrediction(run.body));
    expect((await ask("/api/runs/bare")).status).toBe(404);
    const bare = decodeInfo((await ask("/api/models/bare")).body.toString());
    expect([bare.classes, bare.evidence, bare.attention.length]).toEqual([[], [], 1]);
    const { top, seen } = decodePrediction((await post("/api/models/bare/predict", image)).body);
    expect([top, seen.width]).toEqual([[], 16]);
    expect((await post("/api/models/bare/attention?layer=blocks.0.attn", image)).status).toBe(200);
  });

  it("where every layer looks: rows of shares, and evidence for any class", async () => {
    const info = decodeInfo((await ask("/api/models/vit")).body.toString());
    expect(info.attention.map((l) => l.path)).toEqual(["blocks.0.attn", "blocks.1.attn"]);
    const { groups, heads, queries, keys, path } = info.attention[1];
    const weights = decodeFloats((await post(`/api/models/vit/attention?layer=${path}`, image)).body);
    expect(weights).toHaveLength(groups * heads * queries.length * keys.length);
    for (let row = 0; row < weights.length; row += keys.length)
      expect(weights.subarray(row, row + keys.length).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    for (const { name } of info.evidence) {
      const { status, body } = await post(`/api/models/vit/evidence?method=${encodeURIComponent(name)}&class=2`, image);
      expect(status, name).toBe(200);
      const { size, values } = decodeEvidence(body);
      expect(values, name).toHaveLength(size[0] * size[1]);
      expect(
        values.some((v) => v !== 0),
        name,
      ).toBe(true);
    }
    const mixer = decodeInfo((await ask("/api/models/mixer")).body.toString());
    expect(mixer.attention).toEqual([]);
    expect(mixer.evidence.map((m) => m.name)).not.toContain("rollout");
  });
});
