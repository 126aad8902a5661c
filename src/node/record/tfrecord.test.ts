import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { EventSchema, SessionLog_SessionStatus } from "./event_pb.ts";
import { encodeEvent } from "./tensorboard.ts";
import { crc32c, decodeRecords, encodeRecord, maskedCrc32c } from "./tfrecord.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Four events that RecordWriter and the Event messages of tensorboard 2.21.0 wrote. */
const WRITTEN = Buffer.from(
  "GAAAAAAAAACjf0siCQAAEED8VNlBGg1icmFpbi5FdmVudDoyM40v6Q8AAAAAAAAAbVMrCQkAAGBA/FTZQRAHOgIIAWW0n2YyAAAAAAAAACQZVuwJ" +
    "AACwQPxU2UEQrAIqJAoRCgp0cmFpbi9sb3NzFQAAoD8KDwoIdHJhaW4vbHIVAAAAPzUYs4UqAAAAAAAAAK6NkfUJAADAQPxU2UEQrAIqHAoaCgljb25m" +
    "dXNpb24iDQgCEAMYAyIFUE5HAP/WzJz4",
  "base64",
);

describe("CRC-32C", () => {
  // RFC 3720, appendix B.4, and the check value of the algorithm.
  it.each([
    [ascii("123456789"), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ])("is that of its definition (%#)", (bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc);
  });

  it("is rotated and shifted where it is masked", () => {
    // ((0xe3069283 >>> 15) | (0xe3069283 << 17)) + 0xa282ead8 mod 2^32
    expect(maskedCrc32c(ascii("123456789"))).toBe(Number((0x2507c60dn + 0xa282ead8n) % 2n ** 32n));
  });
});

describe("event files", () => {
  it("are byte for byte what the tensorboard package writes", () => {
    const events = [
      encodeEvent(0, { case: "fileVersion", value: "brain.Event:2" }, 1700000000.25),
      encodeEvent(7, { case: "sessionLog", value: { status: SessionLog_SessionStatus.START } }, 1700000001.5),
      encodeEvent(
        300,
        {
          case: "summary",
          value: {
            value: [
              { tag: "train/loss", value: { case: "simpleValue", value: 1.25 } },
              { tag: "train/lr", value: { case: "simpleValue", value: 0.5 } },
            ],
          },
        },
        1700000002.75,
      ),
      encodeEvent(
        300,
        {
          case: "summary",
          value: {
            value: [
              {
                tag: "confusion",
                value: {
                  case: "image",
                  value: {
                    height: 2,
                    width: 3,
                    colorspace: 3,
                    encodedImageString: Uint8Array.of(80, 78, 71, 0, 255),
                  },
                },
              },
            ],
          },
        },
        1700000003,
      ),
    ];
    expect(Buffer.concat(events)).toEqual(WRITTEN);
  });

  it("are read back up to the first record that is cut short or damaged", () => {
    const steps = (bytes: Uint8Array) =>
      [...decodeRecords(bytes)].map(({ data }) => Number(fromBinary(EventSchema, data).step));
    expect(steps(WRITTEN)).toEqual([0, 7, 300, 300]);
    const [, second, third] = [...decodeRecords(WRITTEN)];
    for (const size of [third.end - 1, third.end - 20, second.end + 11, second.end])
      expect(steps(WRITTEN.subarray(0, size))).toEqual([0, 7]);
    for (const at of [second.end, second.end + 8, second.end + 20, third.end - 1]) {
      const damaged = Buffer.from(WRITTEN);
      damaged[at] ^= 1;
      expect(steps(damaged)).toEqual([0, 7]);
    }
    expect([...decodeRecords(encodeRecord(new Uint8Array(0)))]).toMatchObject([{ end: 16 }]);
    expect([...decodeRecords(new Uint8Array(0))]).toEqual([]);
  });
});
