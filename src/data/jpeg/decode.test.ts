import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { keyed } from "../random.ts";
import { drawSynth } from "../synth.ts";
import { decodeJpeg } from "./decode.ts";
import { readHeader } from "./header.ts";

/** A drawn picture, or noise, at any size. */
async function picture(width: number, height: number, kind: "drawn" | "noise"): Promise<Buffer> {
  const random = keyed(width, height, kind);
  const data =
    kind === "drawn"
      ? drawSynth(3, "star", width, 64)
      : Uint8Array.from({ length: 3 * 64 * 64 }, () => random.int(256));
  const raw = { width: 64, height: 64, channels: 3 } as const;
  return sharp(data, { raw }).resize(width, height, { fit: "fill", kernel: "cubic" }).raw().toBuffer();
}

type Sampling = "4:4:4" | "4:2:0";
async function jpeg(width: number, height: number, kind: "drawn" | "noise", quality: number, s: Sampling) {
  const raw = { width, height, channels: 3 } as const;
  const pixels = await picture(width, height, kind);
  return sharp(pixels, { raw }).jpeg({ quality, chromaSubsampling: s }).toBuffer();
}

const byLibjpeg = async (bytes: Buffer) =>
  new Uint8Array(await sharp(bytes, { failOn: "error" }).toColourspace("srgb").raw().toBuffer());

/** The box of interleaved pixels. */
function cut(data: Uint8Array, width: number, box: { x: number; y: number; width: number; height: number }) {
  const rows = Array.from({ length: box.height }, (_, i) => {
    const from = 3 * ((box.y + i) * width + box.x);
    return data.subarray(from, from + 3 * box.width);
  });
  return Buffer.concat(rows);
}

describe("decoding JPEG", () => {
  const cases: [number, number, "drawn" | "noise", number, Sampling][] = [
    [64, 48, "drawn", 90, "4:4:4"],
    [64, 48, "drawn", 75, "4:2:0"],
    [61, 47, "noise", 95, "4:4:4"],
    [61, 47, "noise", 50, "4:2:0"],
    [33, 17, "noise", 100, "4:2:0"],
    [5, 5, "noise", 90, "4:2:0"],
    [6, 1, "noise", 90, "4:2:0"],
    [7, 3, "noise", 30, "4:2:0"],
    [1, 1, "noise", 90, "4:4:4"],
    [200, 150, "noise", 1, "4:2:0"],
    [200, 150, "drawn", 100, "4:4:4"],
  ];
  it.each(cases)(
    "gives libjpeg's bits: %i x %i, %s, quality %i, %s",
    async (width, height, kind, quality, sampling) => {
      const bytes = await jpeg(width, height, kind, quality, sampling);
      const header = readHeader(bytes);
      expect(header).toMatchObject({ width, height });
      const expected = await byLibjpeg(bytes);
      const whole = decodeJpeg(bytes, header!, { x: 0, y: 0, width, height });
      expect(Buffer.compare(Buffer.from(whole!.data), Buffer.from(expected))).toBe(0);
      const random = keyed(1);
      for (let i = 0; i < 12; i++) {
        const [w, h] = [1 + random.int(width), 1 + random.int(height)];
        const box = { x: random.int(width - w + 1), y: random.int(height - h + 1), width: w, height: h };
        const part = decodeJpeg(bytes, header!, box);
        expect(Buffer.compare(Buffer.from(part!.data), cut(expected, width, box)), JSON.stringify(box)).toBe(0);
      }
    },
  );

  /** Written by Pillow, since sharp halves chroma both ways or not at all: 21 x 13, subsampling 4:2:2. */
  it("gives libjpeg's bits where chroma is halved across alone", async () => {
    const bytes = Buffer.from(HALVED_ACROSS, "base64");
    const [width, height] = [21, 13];
    const header = readHeader(bytes)!;
    expect(header.components[0]).toMatchObject({ h: 2, v: 1 });
    const expected = await byLibjpeg(bytes);
    for (const box of [
      { x: 0, y: 0, width, height },
      { x: 3, y: 5, width: 11, height: 6 },
      { x: 18, y: 12, width: 3, height: 1 },
    ]) {
      const part = decodeJpeg(bytes, header, box);
      expect(Buffer.compare(Buffer.from(part!.data), cut(expected, width, box))).toBe(0);
    }
  });

  it("gives grey as RGB", async () => {
    const raw = { width: 30, height: 20, channels: 3 } as const;
    const bytes = await sharp(await picture(30, 20, "noise"), { raw })
      .toColourspace("b-w")
      .jpeg()
      .toBuffer();
    const header = readHeader(bytes)!;
    expect(header.components).toHaveLength(1);
    const { data } = decodeJpeg(bytes, header, { x: 0, y: 0, width: 30, height: 20 })!;
    expect(Buffer.compare(Buffer.from(data), Buffer.from(await byLibjpeg(bytes)))).toBe(0);
  });

  it("leaves what is no plain photograph to others", async () => {
    const raw = { width: 40, height: 30, channels: 3 } as const;
    const draw = async () => sharp(await picture(40, 30, "drawn"), { raw });
    const turned = await (await draw()).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const upright = await (await draw()).withMetadata({ orientation: 1 }).jpeg().toBuffer();
    expect(readHeader(turned)).toBeUndefined();
    expect(readHeader(upright)).toMatchObject({ width: 40, height: 30 });
    expect(readHeader(await (await draw()).jpeg({ progressive: true }).toBuffer())).toBeUndefined();
    expect(readHeader(await (await draw()).toColourspace("cmyk").jpeg().toBuffer())).toBeUndefined();
    expect(readHeader(Buffer.from(RESTARTS, "base64"))).toBeUndefined();
    expect(readHeader(await (await draw()).png().toBuffer())).toBeUndefined();
  });

  it("takes no damaged file that libjpeg refuses", async () => {
    const whole = await jpeg(40, 30, "noise", 80, "4:2:0");
    const random = keyed(7);
    let taken = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = Buffer.from(i % 4 === 0 ? whole.subarray(0, random.int(whole.length)) : whole);
      for (let k = random.int(4); k >= 0 && bytes.length; k--) bytes[random.int(bytes.length)] = random.int(256);
      const header = readHeader(bytes);
      if (!header || header.width * header.height > 1e6) continue;
      const { width, height } = header;
      const image = decodeJpeg(bytes, header, { x: 0, y: 0, width, height });
      if (!image) continue;
      taken++;
      expect((await byLibjpeg(bytes)).length, `case ${i}`).toBe(image.data.length);
    }
    expect(taken).toBeGreaterThan(20);
  });
});

const HALVED_ACROSS =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAANABUDASEAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwBL7xGfEX/Et0uLy8fLuAxT7LRovCCfbdTk85zzg806cVharwtXWnPYVOLxNN4SrpUhsQXXiGfXpPOsYjHEny4AorknhsZRk6cHotiYZ3UoxVOpHVaG7rGm2vhrSftOnxATFc7jXJ+GbibxVqJj1SQvGD92uij/ALXg5Rqbw2ZWMm3Rp42OkvzOt1e2t9Cljt7KFQhGTRVYfNqqppNXPZhhqOIiqso6s//Z";
const RESTARTS =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAANABUDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/90ABAAB/9oADAMBAAIRAxEAPwAm1L+0f9FtU29silhs00cefctvPXBq1d20Om2nm26DfjrWXp0j6rc7bpiVz0og7xcqe3VBK0YLm1g/vR//0Gy6hJftvgTaq8UVduo47BljgQAEUVKVFq6k0axp1re5PQ//2Q==";
