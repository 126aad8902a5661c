import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasModule, pythonJson } from "../../../test/python.ts";
import type { FitEvent } from "../../train/fit.ts";
import { faultyFileSystem } from "../faulty-file-system.ts";
import { AppendFile } from "./append-file.ts";
import { openRecords } from "./index.ts";
import { readJournal, TIMING } from "./journal.ts";
import type { Position, RunEvent } from "./recorder.ts";
import { readSummary } from "./summary.ts";
import { isEventFile } from "./tensorboard.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-records-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const newRun = () => mkdtempSync(join(root, "run-"));

const BATCHES = 4;

/** What a run of `epochs` epochs tells from a position on; every float is one of float32. */
function* eventsFrom({ step: from }: Position, epochs = 3): Generator<RunEvent> {
  for (let step = from + 1; step <= epochs * BATCHES; step++) {
    const epoch = Math.floor((step - 1) / BATCHES);
    const batch = ((step - 1) % BATCHES) + 1;
    if (step === 6) yield { type: "bad-step", epoch, step, loss: Number.NaN, inARow: 1, total: 1 };
    else if (step === 7) yield { type: "rollback", epoch, step, loss: 9, mean: 2, to: 4 };
    else {
      const value = { loss: 8 / step, gradNorm: 1 / 2 ** step, lr: 0.25 / step };
      yield { type: "step", epoch, batch, batches: BATCHES, step, images: 8, ...value };
    }
    if (batch === 2) yield { type: "save", step, epoch, batch, planned: true };
    if (batch === BATCHES) yield* endOf(epoch, step);
  }
}

function* endOf(epoch: number, step: number): Generator<FitEvent> {
  const quality = { loss: 1 / (epoch + 1), top1: 50 + epoch, top5: 90, count: 16 };
  const summary = { epoch, trainLoss: 2 / (epoch + 1), lr: 0.25 / step, val: quality, valAverage: quality };
  yield { type: "epoch", summary: { ...summary, seconds: 1, imagesPerSecond: 32 } };
  yield { type: "save", step, epoch: epoch + 1, batch: 0, metric: quality.top1, planned: true };
}

const START: Position = { step: 0, epoch: 0 };

/** Runs from a position on, until `stop` says so; a killed one leaves half a line behind. */
async function record(run: string, from = START, stop: (event: RunEvent) => boolean = () => false, interval = 1) {
  const records = await openRecords(run, { from, averaged: true, interval });
  for (const event of eventsFrom(from)) {
    records.event(event);
    if (event.type === "save") await records.flush();
    if (stop(event)) break;
  }
  await records.close();
}

const eventFiles = (run: string): string[] => readdirSync(run).filter(isEventFile).sort();
const withoutTime = async (run: string) =>
  (await readJournal(run)).map((line) => Object.fromEntries(Object.entries(line).filter(([k]) => !TIMING.includes(k))));
const summary = (run: string) => readFileSync(join(run, "summary.csv"), "utf8");

const whole = newRun();
await record(whole);

/** Where a run is killed, and the checkpoint it goes on from. */
const KILLS: [string, (event: RunEvent) => boolean, Position][] = [
  ["in an epoch", (e) => e.type === "step" && e.step === 10, { step: 8, epoch: 2 }],
  ["in an epoch, having gone on from within it", (e) => e.type === "step" && e.step === 12, { step: 10, epoch: 2 }],
  ["between an epoch's record and its checkpoint", (e) => e.type === "epoch" && e.summary.epoch === 1, START],
  ["while saving an epoch's end", (e) => e.type === "save" && e.step === 8, { step: 6, epoch: 1 }],
  [
    "after its last step, before its evaluation",
    (e) => e.type === "epoch" && e.summary.epoch === 1,
    { step: 8, epoch: 1 },
  ],
  ["at its end, to go on with an older checkpoint", () => false, { step: 4, epoch: 1 }],
];

describe("the records of a run", () => {
  it("name every step, epoch, bad step, rollback and save", async () => {
    const lines = await readJournal(whole);
    expect(lines.map(({ type, step }) => `${type} ${step}`).slice(0, 14)).toEqual([
      ...["step 1", "step 2", "save 2", "step 3", "step 4", "epoch 4", "save 4", "step 5"],
      ...["bad-step 6", "save 6", "rollback 7", "step 8", "epoch 8", "save 8"],
    ]);
    expect(lines[8]).toMatchObject({ loss: "NaN", epoch: 1, inARow: 1 });
    expect(lines[5]).toMatchObject({ epoch: 0, trainLoss: 2, val: { top1: 50 }, seconds: 1 });
    expect(lines[1].imagesPerSecond).toBeGreaterThan(0);
    expect(await readSummary(whole)).toMatchObject([{ epoch: "0" }, { epoch: "1" }, { epoch: "2", eval_top1: "52" }]);
    expect(summary(whole).split("\n")[0]).toBe(
      "epoch,train_loss,eval_loss,eval_top1,eval_top5,eval_loss_ema,eval_top1_ema,eval_top5_ema,lr",
    );
  });

  it.each(KILLS)("are those of a run never stopped where it was killed %s", async (_, stop, from) => {
    const run = newRun();
    await record(run, START, stop);
    appendFileSync(join(run, "metrics.jsonl"), '{"type":"step","st');
    appendFileSync(join(run, eventFiles(run)[0]), Uint8Array.of(24, 0, 0, 0));
    if (from.step === 8 && from.epoch === 1) {
      // Stopped after its last step: what is left of the epoch is its evaluation.
      const records = await openRecords(run, { from, averaged: true, interval: 1 });
      for (const event of endOf(1, 8)) records.event(event);
      await records.close();
      await record(run, { step: 8, epoch: 2 });
    } else await record(run, from);
    expect(await withoutTime(run)).toEqual(await withoutTime(whole));
    expect(summary(run)).toBe(summary(whole));
  });

  it("leave out steps between those of the interval, and nothing else", async () => {
    const run = newRun();
    await record(run, START, undefined, 5);
    const all = await withoutTime(whole);
    expect(await withoutTime(run)).toEqual(all.filter(({ type, step }) => type !== "step" || Number(step) % 5 === 0));
  });

  it("say so where the disk takes no more", async () => {
    const fs = faultyFileSystem({ at: 3, code: "ENOSPC" });
    const file = new AppendFile(join(newRun(), "full"), fs);
    file.add(Uint8Array.of(1));
    await expect(file.flush()).rejects.toThrow(/full: cannot write the record of the run: the disk is full \(ENOSPC\)/);
    await file.close();
  });
});

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
log = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
tags = log.Tags()["scalars"]
steps = [e.step for f in sys.argv[2:] for e in LegacyEventFileLoader(f).Load()]
print(json.dumps({"scalars": {t: [[e.step, e.value] for e in log.Scalars(t)] for t in tags}, "steps": steps}))
`;

interface Read {
  scalars: Record<string, [number, number][]>;
  steps: number[];
}

describe.runIf(await hasModule("tensorboard", "records.test.ts"))("TensorBoard itself", () => {
  const read = (run: string) => pythonJson<Read>(READ, run, ...eventFiles(run).map((name) => join(run, name)));

  it("reads the scalars of each step and epoch", async () => {
    const { scalars, steps } = await read(whole);
    expect(scalars["train/loss"]).toEqual([1, 2, 3, 4, 5, 8, 9, 10, 11, 12].map((s) => [s, Math.fround(8 / s)]));
    expect(scalars["eval/top1"]).toEqual([4, 8, 12].map((step, epoch) => [step, 50 + epoch]));
    expect(Object.keys(scalars).sort()).toEqual(
      [
        ...["epoch", "epoch/images_per_second", "epoch/train_loss", "eval/loss", "eval/top1", "eval/top5"],
        ...["eval_ema/loss", "eval_ema/top1", "eval_ema/top5", "train/grad_norm", "train/images_per_second"],
        ...["train/loss", "train/lr"],
      ].sort(),
    );
    expect(steps[0]).toBe(0);
  });

  it.each(KILLS.slice(0, 4))("reads one curve of a run that was killed %s and went on", async (_, stop, from) => {
    const run = newRun();
    await record(run, START, stop);
    await record(run, from);
    const [{ scalars }, expected] = [await read(run), await read(whole)];
    for (const tag of ["train/loss", "train/lr", "eval/top1", "epoch"])
      expect(scalars[tag], tag).toEqual(expected.scalars[tag]);
  });

  it("forgets what it has read of steps that are done again", async () => {
    const run = newRun();
    await record(run, START, (e) => e.type === "step" && e.step === 11);
    const [first] = eventFiles(run);
    const before = readFileSync(join(run, first));
    await record(run, { step: 8, epoch: 2 });
    // As one that read the first file before it was cut back: the second one must be enough.
    rmSync(join(run, first));
    appendFileSync(join(run, first), before);
    expect((await read(run)).scalars["train/loss"]).toEqual((await read(whole)).scalars["train/loss"]);
  });
});
