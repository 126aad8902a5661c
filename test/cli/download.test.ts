import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { type FakeHub, startHub } from "../hub-server.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-download-"));
const COMMIT = "1".repeat(40);
let hub: FakeHub;
beforeAll(async () => {
  const text = (t: string) => new TextEncoder().encode(t);
  const files = { "config.json": text("{}"), "notes.txt": text("x"), "model.safetensors": new Uint8Array(5000) };
  const card = { cardData: { license: "mit" } };
  hub = await startHub({ "timm/tiny.test_in1k": { refs: { main: COMMIT }, commits: { [COMMIT]: files }, card } });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  vi.stubEnv("HF_HOME", root);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

const folder = join(root, "hub", "models--timm--tiny.test_in1k", "snapshots", COMMIT);

async function said(...words: string[]): Promise<{ out: string; notes: string }> {
  const said = { out: "", notes: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((said.out += text)));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((said.notes += text)));
  await createProgram().run(["download", ...words]);
  return said;
}

describe("tesserae download", () => {
  it("prints the folder, and the licence before what it downloads", async () => {
    const { out, notes } = await said("tiny.test_in1k");
    expect(out).toBe(`${folder}\n`);
    expect(notes.split("\n")[0]).toBe("timm/tiny.test_in1k: licence mit");
    expect(notes).toContain("model.safetensors: ");
    expect(readdirSync(folder).sort()).toEqual(["config.json", "model.safetensors"]);
  });

  it("takes what --include names", async () => {
    const { out } = await said("timm/tiny.test_in1k", "--include", "*.txt", "--json");
    expect(JSON.parse(out)).toEqual({ path: folder, repo: "timm/tiny.test_in1k", commit: COMMIT, license: "mit" });
    expect(readdirSync(folder)).toContain("notes.txt");
    await expect(said("./x", "--include", "*")).rejects.toThrow('"./x" is not a model on the hub');
  });
});
