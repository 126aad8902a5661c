import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { EpochSummary, FitEvent } from "../../train/fit.ts";
import { AppendFile, bytesOf, cut } from "./append-file.ts";
import { type Event, EventSchema, SessionLog_SessionStatus, type Summary_ValueSchema } from "./event_pb.ts";
import type { Position, Recorder, RunEvent } from "./recorder.ts";
import { decodeRecords, encodeRecord } from "./tfrecord.ts";

export const isEventFile = (name: string): boolean => name.startsWith("events.out.tfevents.");

type What = NonNullable<MessageInitShape<typeof EventSchema>["what"]>;
type Value = MessageInitShape<typeof Summary_ValueSchema>;

/** An event file's record. */
export const encodeEvent = (step: number, what: What, wallTime = Date.now() / 1000): Uint8Array =>
  encodeRecord(toBinary(EventSchema, create(EventSchema, { wallTime, step: BigInt(step), what })));

/** Tag -> number; those that are not there are left out. */
const scalars = (values: Readonly<Record<string, number | undefined>>): Value[] =>
  Object.entries(values)
    .filter((entry): entry is [string, number] => entry[1] !== undefined)
    .map(([tag, value]) => ({ tag, value: { case: "simpleValue", value } }));

const EPOCH = "epoch";
/** Summary.Image.colorspace */
const RGB = 3;

const stepScalars = ({ loss, gradNorm, lr, images }: FitEvent & { type: "step" }, seconds?: number): Value[] =>
  scalars({
    "train/loss": loss,
    "train/lr": lr,
    "train/grad_norm": gradNorm,
    "train/images_per_second": seconds && images / seconds,
  });

const epochScalars = ({ epoch, trainLoss, val, valAverage, imagesPerSecond }: EpochSummary): Value[] =>
  scalars({
    [EPOCH]: epoch,
    "epoch/train_loss": trainLoss,
    "epoch/images_per_second": imagesPerSecond || undefined,
    "eval/loss": val?.loss,
    "eval/top1": val?.top1,
    "eval/top5": val?.top5,
    "eval_ema/loss": valAverage?.loss,
    "eval_ema/top1": valAverage?.top1,
    "eval_ema/top5": valAverage?.top5,
  });

const pictureValue = ({ tag, width, height, png }: RunEvent & { type: "picture" }): Value => ({
  tag,
  value: { case: "image", value: { width, height, colorspace: RGB, encodedImageString: png } },
});

/** Whether an event is of what a run that goes on from `at` has behind it. Pictures are of a run's end. */
function isBehind({ step, what }: Event, at: Position): boolean {
  if (Number(step) > at.step) return false;
  if (what.case !== "summary") return true;
  return what.value.value.every(
    ({ tag, value }) => value.case !== "image" && (tag !== EPOCH || Number(value.value) < at.epoch),
  );
}

/** Cuts what a resumed run does again, and half a record of a killed one, off the run's event files. */
async function cutBack(run: string, at: Position): Promise<void> {
  for (const name of (await readdir(run)).filter(isEventFile)) {
    const path = join(run, name);
    const bytes = await bytesOf(path);
    let kept = 0;
    for (const { data, end } of decodeRecords(bytes)) {
      if (!isBehind(fromBinary(EventSchema, data), at)) break;
      kept = end;
    }
    if (kept < bytes.byteLength) await cut(path, kept);
  }
}

/** Files of this process, so that two begun in one second differ. */
let made = 0;

const fileName = (): string => {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, "0");
  return `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${made++}`;
};

/**
 * TensorBoard's event file, a new one for each beginning of the run; made by its first event. The x-axis is the number
 * of updates. Where the run goes on, older files are cut back to `from`, and the new one begins with SessionLog START,
 * at which a TensorBoard that has read more forgets it. Of the steps, every `interval`th is written.
 */
export async function openTensorBoard(run: string, from: Position, interval: number): Promise<Recorder> {
  await cutBack(run, from);
  const file = new AppendFile(join(run, fileName()));
  let begun = false;

  const add = (step: number, value: Value[]): void => {
    if (!begun) {
      file.add(encodeEvent(0, { case: "fileVersion", value: "brain.Event:2" }));
      const start = { case: "sessionLog", value: { status: SessionLog_SessionStatus.START } } as const;
      if (from.step > 0) file.add(encodeEvent(from.step + 1, start));
    }
    begun = true;
    file.add(encodeEvent(step, { case: "summary", value: { value } }));
  };

  return {
    event: (event, { step, seconds }) => {
      if (event.type === "step" && step % interval === 0) add(step, stepScalars(event, seconds));
      else if (event.type === "epoch") add(step, epochScalars(event.summary));
      else if (event.type === "picture") add(step, [pictureValue(event)]);
    },
    flush: () => file.flush(),
    close: () => file.close(),
  };
}
