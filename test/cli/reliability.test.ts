import type { ChildProcess } from "node:child_process";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { lastCheckpoint } from "../unbreakable/runs.ts";
import { type Output, type RunOptions, scratch, TINY, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const shapes = at("shapes");
const command = (output: string, ...flags: string[]) => [
  ...["train", shapes, ...TINY, "--epochs", "2", "--log-interval", "1", "--output", at(output)],
  ...flags,
];

beforeAll(async () => {
  const made = await tesserae(["synth", shapes, "--count", "32", "--size", "16"]);
  expect(made.code, made.stderr).toBe(0);
});

const checkpoints = (run: string) => readdirSync(at(run)).filter((name) => name.startsWith("checkpoint-"));
const errors = ({ stderr }: Output) => stderr.split("\n").filter((line) => line.startsWith("error: "));

/** Calls `then` once, when a run says `what`. */
function when(what: string, then: (child: ChildProcess) => void): RunOptions {
  let done = false;
  const onStderr = (child: ChildProcess, stderr: string): void => {
    if (done || !stderr.includes(what)) return;
    done = true;
    then(child);
  };
  return { onStderr };
}

describe("a run folder", () => {
  it("in use refuses a second process, which leaves the first alone", async () => {
    let second: Promise<Output> | undefined;
    const first = await tesserae(
      command("shared", "--epochs", "12"),
      when("batch 1/", () => {
        second = tesserae(command("shared", "--resume", "auto"));
      }),
    );
    const refused = (await second) as Output;
    expect(first.code, first.stderr).toBe(0);
    expect(refused.code).toBe(1);
    expect(errors(refused)).toEqual([expect.stringMatching(/shared: run folder is in use by process \d+\. Stop it/)]);
    expect(existsSync(at("shared", "config.json"))).toBe(true);
    expect(existsSync(at("shared", "model.onnx"))).toBe(true);
  });

  it("whose newest checkpoint is damaged goes on from the one before, and says so", async () => {
    expect((await tesserae(command("damaged"))).code).toBe(0);
    truncateSync(join(lastCheckpoint(at("damaged")), "optimizer.safetensors"), 64);
    const resumed = await tesserae(command("damaged", "--epochs", "3", "--resume", "auto"));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(
      /^warning: .*checkpoint-\d+.*optimizer\.safetensors: damaged: .*\. Using checkpoint-\d+ instead$/m,
    );
  });
});

describe("a signal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("%s twice ends the run at once, and it goes on later", async (signal) => {
    const run = `twice-${signal}`;
    const deep = ["--model-kwargs", "depth=24"];
    let sent = 0;
    const stopped = await tesserae(command(run, ...deep), {
      // The first comes while the step is still being built, so that there is time for the second: a deep model takes longest.
      onStderr: (child, stderr) => {
        const due = Number(stderr.includes("held out")) + Number(stderr.includes("finishing the step"));
        for (; sent < due; sent++) child.kill(signal);
      },
    });
    // Dead of it, as the shell wants to know, and not aborted in the middle of a native call.
    expect(stopped.signal, stopped.stderr).toBe(signal);
    expect(sent).toBe(2);
    expect(stopped.stderr).not.toContain("interrupted after step");
    expect(errors(stopped)).toEqual([]);
    expect(existsSync(at(run, ".tesserae-lock"))).toBe(false);
    const resumed = await tesserae(command(run, ...deep, "--resume", "auto"));
    expect(resumed.code, resumed.stderr).toBe(0);
  });
});

it("a reader that goes away ends the run as it ends other commands, and the run goes on later", async () => {
  const stopped = await tesserae(
    command("unread"),
    when("held out", (child) => child.stderr?.destroy()),
  );
  expect(stopped.signal).toBe("SIGPIPE");
  expect(existsSync(at("unread", ".tesserae-lock"))).toBe(false);
  expect((await tesserae(command("unread", "--resume", "auto"))).code).toBe(0);
});

describe("going on", () => {
  it("says that images, and batches between epochs, are not those of before", async () => {
    expect((await tesserae(command("others", "--epochs", "1"))).code).toBe(0);
    const data = at("fewer");
    cpSync(shapes, data, { recursive: true });
    const [name] = readdirSync(join(data, "train"));
    const [image] = readdirSync(join(data, "train", name));
    rmSync(join(data, "train", name, image));
    const flags = command("others", "-b", "4", "--grad-accum-steps", "2", "--resume", "auto");
    const resumed = await tesserae(flags.map((word) => (word === shapes ? data : word)));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain("warning: the training images are not those of before\n");
    expect(resumed.stderr).toMatch(/the run goes on with other settings: .*batchSize was 8, is 4/);
    expect(resumed.stderr).toMatch(/gradAccumSteps was 1, is 2/);
  });

  it("refuses other batches within an epoch, and names other threads", async () => {
    const stopped = await tesserae(
      command("within"),
      when("batch 1/", (child) => child.kill("SIGTERM")),
    );
    expect(stopped.code, stopped.stderr).toBe(130);
    const refused = await tesserae(command("within", "--grad-accum-steps", "2", "--resume", "auto"));
    expect(refused.code).toBe(2);
    expect(errors(refused)).toEqual([expect.stringMatching(/stopped within an epoch: gradAccumSteps was 1, is 2/)]);
    const resumed = await tesserae(command("within", "--threads", "2", "--resume", "auto"));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/warning: the run goes on elsewhere, .*threads was 1, is 2/);
  });
});

/** A user whom permission bits bind: nobody where this is root, else this one. */
const NOBODY = 65534;
const root = process.getuid?.() === 0;

const asUser = (args: readonly string[]): Promise<Output> =>
  tesserae(args, { cwd: "/", env: { HOME: "/nonexistent" }, user: root ? NOBODY : undefined }).catch((error) => ({
    code: null,
    signal: null,
    stdout: "",
    stderr: String(error),
  }));

describe.skipIf(process.platform === "win32")("permissions", () => {
  it("that forbid writing end a run before it begins, and nothing is left", async (context) => {
    if ((await asUser(["--version"])).code !== 0) return context.skip("another user cannot run this build");
    chmodSync(folder, 0o755);
    mkdirSync(at("closed"), { mode: 0o555 });
    for (const output of [at("closed"), at("closed", "run")]) {
      const words = command("x").map((word) => (word === at("x") ? output : word));
      const refused = await asUser(words);
      expect(refused.code, refused.stderr).toBe(1);
      expect(errors(refused)).toEqual([expect.stringMatching(/closed.*(no permission \(EACCES\)|EACCES)/)]);
      expect(readdirSync(at("closed"))).toEqual([]);
    }
  });

  it("that are taken away during a run fail its save, and the earlier checkpoint stays", async (context) => {
    if ((await asUser(["--version"])).code !== 0) return context.skip("another user cannot run this build");
    chmodSync(folder, 0o755);
    mkdirSync(at("closing"));
    if (root) chownSync(at("closing"), NOBODY, NOBODY);
    expect(await asUser(command("closing"))).toMatchObject({ code: 0 });
    const before = checkpoints("closing");
    chmodSync(at("closing"), 0o555);
    const failed = await asUser(command("closing", "--epochs", "4", "--resume", "auto"));
    expect(failed.code).toBe(1);
    expect(errors(failed)).toEqual([expect.stringMatching(/no permission \(EACCES\)/)]);
    expect(checkpoints("closing")).toEqual(before);
    chmodSync(at("closing"), 0o755);
    expect(await asUser(command("closing", "--epochs", "4", "--resume", "auto"))).toMatchObject({ code: 0 });
  });

  it("that forbid reading an image leave it out, named", async (context) => {
    if ((await asUser(["--version"])).code !== 0) return context.skip("another user cannot run this build");
    chmodSync(folder, 0o755);
    const data = at("unreadable");
    cpSync(shapes, data, { recursive: true });
    const [name] = readdirSync(join(data, "train"));
    const image = join(data, "train", name, readdirSync(join(data, "train", name))[0]);
    chmodSync(image, 0o000);
    mkdirSync(at("reading"));
    if (root) chownSync(at("reading"), NOBODY, NOBODY);
    const words = command("reading").map((word) => (word === shapes ? data : word));
    const output = await asUser(words);
    expect(output.code, output.stderr).toBe(0);
    expect(output.stderr).toContain(`${image}: cannot be read (EACCES)`);
    rmSync(at("reading"), { recursive: true });
    mkdirSync(at("reading"));
    if (root) chownSync(at("reading"), NOBODY, NOBODY);
    const strict = await asUser([...words, "--strict"]);
    expect(strict.code).toBe(1);
    expect(errors(strict)).toEqual([`error: ${image}: cannot be read (EACCES)`]);
  });
});

it("an image that is deleted during a run is left out from then on, and named", async () => {
  const data = at("vanishing");
  cpSync(shapes, data, { recursive: true });
  const [name] = readdirSync(join(data, "train"));
  const image = join(data, "train", name, readdirSync(join(data, "train", name))[0]);
  const words = command("vanish", "--epochs", "6", "--cache-mb", "0").map((word) => (word === shapes ? data : word));
  const output = await tesserae(
    words,
    when("epoch 2/6", () => rmSync(image)),
  );
  expect(output.code, output.stderr).toBe(0);
  expect(output.stderr).toContain(`${image}: no such file`);
});
