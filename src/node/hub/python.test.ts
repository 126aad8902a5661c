import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeHub, startHub } from "../../../test/hub-server.ts";
import { hubFile } from "./file.ts";
import { hubSnapshot } from "./snapshot.ts";

const run = promisify(execFile);
const made = fileURLToPath(new URL("../../../bench/.venv/bin/python", import.meta.url));
const python = process.env.TESSERAE_PYTHON ?? (existsSync(made) ? made : "python3");
const has = await run(python, ["-c", "import huggingface_hub"]).then(
  () => true,
  () => false,
);
if (!has) console.warn("python.test.ts is skipped: no Python with huggingface_hub (bench:setup, or TESSERAE_PYTHON)");

const root = mkdtempSync(join(tmpdir(), "tesserae-hub-python-"));
const COMMIT = "1".repeat(40);
const repo = "timm/tiny.test_in1k";
let hub: FakeHub;
beforeAll(async () => {
  const [small, large] = [new TextEncoder().encode("{}"), new Uint8Array(50_000).fill(5)];
  const files = { "config.json": small, "model.safetensors": large, "onnx/model.onnx": large };
  hub = await startHub({ [repo]: { refs: { main: COMMIT }, commits: { [COMMIT]: files } } });
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

const envOf = (cache: string, more: Record<string, string> = {}) => ({
  PATH: process.env.PATH,
  HF_ENDPOINT: hub.endpoint,
  HF_HOME: join(root, cache),
  HF_HUB_DISABLE_XET: "1",
  ...more,
});

async function inPython(expression: string, env: Record<string, string | undefined>): Promise<string> {
  const code = `from huggingface_hub import hf_hub_download, snapshot_download, scan_cache_dir\nprint(${expression})`;
  const { stdout } = await run(python, ["-c", code], { env });
  return stdout.trim();
}

/** Every entry below a folder with what it is: links with their target. Locks and notes are a tool's own. */
const layout = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/^(\.locks|CACHEDIR|trees)|models--[^/]+\/(trees|\.tree)/.test(name))
    .map((name) => {
      const found = lstatSync(join(folder, name));
      if (found.isSymbolicLink()) return `${name} -> ${readlinkSync(join(folder, name))}`;
      return found.isFile() ? `${name} ${found.size}` : name;
    })
    .sort();

describe.skipIf(!has)("Python's huggingface_hub", () => {
  it("finds what was downloaded here, without a request", { timeout: 60_000 }, async () => {
    const env = envOf("ours");
    const path = await hubFile(repo, "onnx/model.onnx", { env });
    await hubFile(repo, "config.json", { env });
    hub.requests.length = 0;
    const offline = envOf("ours", { HF_HUB_OFFLINE: "1" });
    expect(await inPython(`hf_hub_download("${repo}", "onnx/model.onnx")`, offline)).toBe(path);
    expect(await inPython("len(scan_cache_dir().warnings), scan_cache_dir().size_on_disk", offline)).toBe("0 50002");
    expect(hub.requests).toEqual([]);
    expect(await inPython(`hf_hub_download("${repo}", "onnx/model.onnx")`, env)).toBe(path);
    expect(hub.requests.map((r) => r.method)).toEqual(["HEAD"]);
  });

  it("downloads what is found here, in the same places", { timeout: 60_000 }, async () => {
    const folder = await inPython(`snapshot_download("${repo}")`, envOf("theirs"));
    hub.requests.length = 0;
    const env = envOf("theirs", { HF_HUB_OFFLINE: "1" });
    expect(await hubFile(repo, "model.safetensors", { env })).toBe(join(folder, "model.safetensors"));
    expect((await hubSnapshot(repo, ["*"], { env })).folder).toBe(folder);
    expect(hub.requests).toEqual([]);
    await hubSnapshot(repo, ["*"], { env: envOf("same") });
    expect(layout(join(root, "same", "hub"))).toEqual(layout(join(root, "theirs", "hub")));
  });
});
