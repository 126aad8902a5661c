import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeHub, startHub } from "../../../test/hub-server.ts";
import { hubFile } from "./file.ts";
import { checkNames, isFile, isRepo, isRevision } from "./names.ts";
import { hubSettings } from "./settings.ts";
import { hubSnapshot } from "./snapshot.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-hub-names-"));
const COMMIT = "1".repeat(40);
const secret = join(root, "secret");
let hub: FakeHub;
beforeAll(async () => {
  writeFileSync(secret, "secret");
  const file = new TextEncoder().encode("{}");
  hub = await startHub({
    "a/b": { refs: { main: COMMIT }, commits: { [COMMIT]: { "config.json": file, "sub/x.json": file } } },
    "a/evil": { refs: { main: COMMIT }, commits: { [COMMIT]: { "../../../evil": file } } },
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true, force: true });
});

let runs = 0;
const freshEnv = () => ({ HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: join(root, `cache${runs++}`), HF_HOME: root });
const retry = { times: 0, delay: 1 };

describe("names of the hub", () => {
  it("are those that the hub gives", () => {
    for (const name of ["timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", "gpt2", "A-b/c.d_e"])
      expect(isRepo(name), name).toBe(true);
    for (const name of [
      "",
      "a/b/c",
      "../b",
      "a/..",
      "a--b",
      "a/.b",
      "a/b.git",
      "/b",
      "a/b\n",
      "models/x",
      "a\\b",
      "a/b?",
    ])
      expect(isRepo(name), name).toBe(false);
    for (const name of ["main", "v1.0", "refs/pr/1", COMMIT]) expect(isRevision(name), name).toBe(true);
    for (const name of ["", "../x", "a/../b", "/main", "a b", "a\\b", "C:x", "x\u0000"])
      expect(isRevision(name), name).toBe(false);
  });

  it.each([
    "../x",
    "a/../../x",
    "/etc/passwd",
    "C:\\x",
    "C:x",
    "\\\\host\\x",
    "a\\..\\x",
    "a//b",
    "./x",
    "x\u0000",
    "",
  ])("of files stay inside: %j is refused", async (file) => {
    expect(isFile(file)).toBe(false);
    await expect(hubFile("a/b", file, { env: freshEnv() })).rejects.toThrow(/leaves its folder/);
  });

  it("that a hub lists are held to the same", async () => {
    const env = freshEnv();
    await expect(hubSnapshot("a/evil", ["*"], { env, retry })).rejects.toThrow(/"..\/..\/..\/evil" leaves its folder/);
    expect(readdirSync(root)).not.toContain("evil");
    expect(() => checkNames({ repo: "a/b", revision: "../x" })).toThrow('a/b: "../x" is not a revision');
  });

  it.each([
    ["x-repo-commit", "../../../../evil"],
    ["etag", '"../../../evil"'],
    ["etag", '""'],
    ["x-linked-etag", '"a/b"'],
  ])("that a hub sends as %s may be no path: %s", async (name, value) => {
    const usual = { "x-repo-commit": COMMIT, etag: `"${"a".repeat(40)}"` };
    hub.fault.answer = (_, response) => response.writeHead(200, { ...usual, [name]: value }).end();
    await expect(hubFile("a/b", "config.json", { env: freshEnv(), retry })).rejects.toThrow(
      /is this a Hugging Face Hub/,
    );
    hub.fault.answer = undefined;
  });
});

describe.skipIf(process.platform === "win32")("a link in the cache", () => {
  const folder = (env: { HF_HUB_CACHE: string }) => join(env.HF_HUB_CACHE, "models--a--b");

  it("that leads out of it is not read", async () => {
    const env = freshEnv();
    mkdirSync(join(folder(env), "snapshots", COMMIT), { recursive: true });
    symlinkSync(secret, join(folder(env), "snapshots", COMMIT, "config.json"));
    await expect(hubFile("a/b", "config.json", { env, revision: COMMIT })).rejects.toThrow(/outside of the cache/);
  });

  it("that leads out of it by a blob is not read", async () => {
    const env = freshEnv();
    await hubFile("a/b", "config.json", { env });
    const blobs = join(folder(env), "blobs");
    const [blob] = readdirSync(blobs);
    rmSync(join(blobs, blob));
    symlinkSync(secret, join(blobs, blob));
    await expect(hubFile("a/b", "config.json", { env })).rejects.toThrow(/outside of the cache/);
  });

  it.each(["blobs", "snapshots", "refs", join("snapshots", COMMIT), join("snapshots", COMMIT, "sub")])(
    "in the place of %s is not written through",
    async (name) => {
      const env = freshEnv();
      const outside = join(root, `outside${runs}`);
      mkdirSync(outside);
      mkdirSync(join(folder(env), name, ".."), { recursive: true });
      symlinkSync(outside, join(folder(env), name));
      await expect(hubFile("a/b", "sub/x.json", { env, retry })).rejects.toThrow(/refused/);
      expect(readdirSync(outside)).toEqual([]);
    },
  );

  it("that leads nowhere is replaced", async () => {
    const env = freshEnv();
    const path = await hubFile("a/b", "config.json", { env });
    rmSync(join(folder(env), "blobs"), { recursive: true });
    expect(await hubFile("a/b", "config.json", { env })).toBe(path);
    execFileSync("test", ["-f", path]);
  });

  it("to another disk may stand for all of the cache", async () => {
    const env = freshEnv();
    const disk = join(root, `disk${runs}`);
    mkdirSync(disk);
    symlinkSync(disk, env.HF_HUB_CACHE);
    expect(await hubFile("a/b", "config.json", { env })).toContain(env.HF_HUB_CACHE);
  });
});

describe("the environment", () => {
  it("says where the cache is, in the order of Hugging Face's tools", () => {
    expect(hubSettings({}).cache).toBe(join(homedir(), ".cache/huggingface/hub"));
    expect(hubSettings({ XDG_CACHE_HOME: "/x" }).cache).toBe("/x/huggingface/hub");
    expect(hubSettings({ XDG_CACHE_HOME: "/x", HF_HOME: "~/h" }).cache).toBe(join(homedir(), "h/hub"));
    expect(hubSettings({ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "$D/old", D: "/d" }).cache).toBe("/d/old");
    expect(hubSettings({ HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/new" }).cache).toBe("/new");
  });

  it("holds the token, or names its file", () => {
    writeFileSync(join(root, "token"), "hf_file\n");
    expect(hubSettings({ HF_HOME: root }).token).toBe("hf_file");
    expect(hubSettings({ HF_TOKEN_PATH: join(root, "token") }).token).toBe("hf_file");
    expect(hubSettings({ HF_HOME: root, HF_TOKEN: " hf_env " }).token).toBe("hf_env");
    expect(hubSettings({ HF_HOME: root, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }).token).toBeUndefined();
    expect(() => hubSettings({ HF_TOKEN: "hf_a\r\nX: y" })).toThrow(/^HF_TOKEN: holds no token of the hub$/);
  });

  it("names an endpoint that is a web address", () => {
    expect(hubSettings({ HF_HOME: "/h", HF_ENDPOINT: "https://mirror.example/hf/" }).endpoint).toBe(
      "https://mirror.example/hf",
    );
    for (const bad of ["mirror", "file:///x", "https://user:pw@host"])
      expect(() => hubSettings({ HF_ENDPOINT: bad })).toThrow("HF_ENDPOINT: is not the address of a hub");
  });
});
