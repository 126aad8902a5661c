import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp, { type JpegOptions, type Sharp } from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { isUpright } from "../data/image-file.ts";
import { keyed } from "../data/random.ts";
import { decodeFile, decodeImage } from "./decode.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-decode-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A PNG written by hand: colour types 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA; rows are raw scanlines. */
function png(
  width: number,
  height: number,
  depth: number,
  type: number,
  rows: number[][],
  extra: Buffer[] = [],
): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([depth, type, 0, 0, 0], 8);
  const data = deflateSync(Buffer.from(rows.flatMap((row) => [0, ...row])));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", head),
    ...extra,
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

const pixels = async (bytes: Uint8Array) => [...(await decodeImage(bytes, "x")).data];

function noise(width: number, height: number) {
  const random = keyed(9);
  const data = Buffer.from(Array.from({ length: width * height * 3 }, () => random.int(256)));
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** Noise, as a JPEG. */
const jpeg = (options: JpegOptions = {}, change: (image: Sharp) => Sharp = (i) => i): Promise<Buffer> => {
  const random = keyed(9);
  const data = Buffer.from(Array.from({ length: 45 * 60 * 3 }, () => random.int(256)));
  return change(sharp(data, { raw: { width: 60, height: 45, channels: 3 } }))
    .jpeg(options)
    .toBuffer();
};

describe("decodeImage of a part", () => {
  const box = { x: 7, y: 9, width: 31, height: 20 };
  const partOf = () => box;

  it.each<[string, Promise<Buffer>]>([
    ["a JPEG", jpeg()],
    ["one whose colours are not halved", jpeg({ chromaSubsampling: "4:4:4" })],
    ["a progressive one", jpeg({ progressive: true })],
    ["a grey one", jpeg({}, (image) => image.greyscale())],
    ["one that says it is upright", jpeg({}, (image) => image.withMetadata({ orientation: 1 }))],
  ])("gives the same pixels of %s as the whole", async (_, file) => {
    const bytes = await file;
    const [whole, part] = await Promise.all([decodeImage(bytes, "x"), decodeImage(bytes, "x", partOf)]);
    expect([part.width, part.height]).toEqual([31, 20]);
    expect(part.within).toEqual({ x: 7, y: 9, width: 60, height: 45 });
    const row = (y: number) => whole.data.subarray(((y + 9) * 60 + 7) * 3, ((y + 9) * 60 + 38) * 3);
    for (let y = 0; y < 20; y++) expect(part.data.subarray(y * 93, (y + 1) * 93)).toEqual(row(y));
  });

  it.each<[string, Promise<Buffer>, number]>([
    ["is to be turned", jpeg({}, (image) => image.withMetadata({ orientation: 6 })), 45],
    ["is a PNG", jpeg().then((bytes) => sharp(bytes).png().toBuffer()), 60],
  ])("gives the whole where the picture %s", async (_, file, width) => {
    const image = await decodeImage(await file, "x", partOf);
    expect(image.width).toBe(width);
    expect(image.within).toBeUndefined();
  });

  it("asks of any beginning of a file whether it is upright, and of none too much", async () => {
    const bytes = await jpeg({}, (image) => image.withMetadata({ orientation: 6 }));
    expect(isUpright(bytes)).toBe(false);
    for (let n = 2; n < 200; n++) expect(() => isUpright(bytes.subarray(0, n))).not.toThrow();
    const random = keyed(3);
    for (let i = 0; i < 200; i++) {
      const damaged = Uint8Array.from(bytes);
      for (let k = 0; k < 4; k++) damaged[2 + random.int(120)] = random.int(256);
      expect(() => isUpright(damaged)).not.toThrow();
    }
  });

  it("refuses a file that stops short, wherever the part lies", async () => {
    const bytes = await jpeg();
    const cut = bytes.subarray(0, bytes.length - 200);
    await expect(decodeImage(cut, "x", () => ({ x: 0, y: 0, width: 8, height: 8 }))).rejects.toThrow("x: truncated");
  });
});

describe("decodeImage", () => {
  it("gives RGB for grey, palette, alpha and 16 bits", async () => {
    expect(await pixels(png(2, 1, 8, 0, [[7, 250]]))).toEqual([7, 7, 7, 250, 250, 250]);
    expect(await pixels(png(2, 1, 1, 0, [[0b10000000]]))).toEqual([255, 255, 255, 0, 0, 0]);
    expect(await pixels(png(2, 1, 8, 4, [[7, 0, 250, 128]]))).toEqual([7, 7, 7, 250, 250, 250]);
    expect(await pixels(png(2, 1, 8, 6, [[1, 2, 3, 0, 4, 5, 6, 99]]))).toEqual([1, 2, 3, 4, 5, 6]);
    const palette = chunk("PLTE", Buffer.from([10, 20, 30, 40, 50, 60]));
    const clear = chunk("tRNS", Buffer.from([255, 0]));
    expect(await pixels(png(2, 1, 8, 3, [[1, 0]], [palette]))).toEqual([40, 50, 60, 10, 20, 30]);
    expect(await pixels(png(2, 1, 8, 3, [[1, 0]], [palette, clear]))).toEqual([40, 50, 60, 10, 20, 30]);
    expect(await pixels(png(1, 1, 16, 2, [[0x12, 0xff, 0x80, 0x01, 0xfe, 0x7f]]))).toEqual([0x12, 0x80, 0xfe]);
    expect(await pixels(png(2, 1, 16, 0, [[0x12, 0x34, 0xab, 0xcd]]))).toEqual([0x12, 0x12, 0x12, 0xab, 0xab, 0xab]);
  });

  it("applies the EXIF orientation", async () => {
    const upright = await noise(6, 4).png().toBuffer();
    const turned = await noise(6, 4).withMetadata({ orientation: 6 }).png().toBuffer();
    const [a, b] = [await decodeImage(upright, "a"), await decodeImage(turned, "b")];
    expect([b.width, b.height]).toEqual([4, 6]);
    // Orientation 6: the stored picture's first row is the right-hand column.
    for (let x = 0; x < 6; x++) expect(b.data[(x * 4 + 3) * 3]).toBe(a.data[x * 3]);
    const jpeg = await decodeImage(await noise(16, 8).withMetadata({ orientation: 8 }).jpeg().toBuffer(), "c");
    expect([jpeg.width, jpeg.height]).toEqual([8, 16]);
  });

  it("converts CMYK plainly, without ink profiles", async () => {
    const data = Buffer.from([0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255, 100, 50, 0, 128]);
    expect(await pixels(cmykTiff(data, 5))).toEqual([255, 255, 255, 0, 255, 255, 255, 0, 0, 0, 0, 0, 77, 102, 127]);
  });

  it("reads WebP, GIF, TIFF and AVIF", async () => {
    for (const format of ["webp", "gif", "tiff", "avif"] as const) {
      const image = await decodeImage(await noise(20, 10).toFormat(format).toBuffer(), format);
      expect([image.width, image.height, image.data.length]).toEqual([20, 10, 600]);
    }
  });

  const refused = async (name: string, bytes: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const error = await decodeFile(path).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(error).toMatchObject({ name: "TesseraeError", code: "data", where: path });
    expect(error!.message).not.toContain("\n");
    expect(error!.message.startsWith(`${path}: `)).toBe(true);
    return error!.message.slice(path.length + 2);
  };

  it("says in one line what is wrong with a file", async () => {
    expect(await refused("empty.jpg", Buffer.alloc(0))).toBe("the file is empty (zero bytes)");
    expect(await refused("page.jpg", Buffer.from("<html>404</html>"))).toBe("not an image that can be read");
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>');
    expect(await refused("drawing.png", svg)).toBe("not an image that can be read");
    expect(await refused("猫 🐈.png", Buffer.from("\x89PNG garbage", "latin1"))).toBe("truncated");
    for (const format of ["jpeg", "png", "webp", "gif"] as const) {
      const whole = await noise(200, 200).toFormat(format).toBuffer();
      const reason = await refused(`cut.${format}`, whole.subarray(0, whole.length >> 1));
      expect(reason).toBe("truncated");
    }
    const flipped = await noise(200, 200).png().toBuffer();
    flipped.fill(0x55, 5000, 9000);
    expect(await refused("flipped.png", flipped)).toMatch(/^damaged/);
    const gone = await decodeFile(join(folder, "gone.png")).catch((error: Error) => error.message);
    for (const path of [folder, "/dev/zero"].filter(existsSync)) {
      await expect(decodeFile(path)).rejects.toMatchObject({ code: "data", message: `${path}: not a file` });
    }
    expect(gone).toMatch(/gone\.png: no such file$/);
  });

  it("refuses a decompression bomb before unpacking it", async () => {
    const started = performance.now();
    expect(await refused("bomb.png", png(30_000, 30_000, 1, 0, [[0]]))).toMatch(/^too large: over 100 million pixels/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

/** An uncompressed CMYK TIFF of one row. */
function cmykTiff(data: Buffer, width: number): Buffer {
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, 3, 1, width],
    [257, 3, 1, 1],
    [258, 3, 4, 8 + data.length],
    [259, 3, 1, 1],
    [262, 3, 1, 5],
    [273, 4, 1, 8],
    [277, 3, 1, 4],
    [278, 3, 1, 1],
    [279, 4, 1, data.length],
  ];
  const at = 8 + data.length + 8;
  const out = Buffer.alloc(at + 2 + entries.length * 12 + 4);
  out.write("II*\0", "latin1");
  out.writeUInt32LE(at, 4);
  out.set(data, 8);
  for (let i = 0; i < 4; i++) out.writeUInt16LE(8, 8 + data.length + 2 * i);
  out.writeUInt16LE(entries.length, at);
  entries.forEach(([tag, type, count, value], i) => {
    const p = at + 2 + i * 12;
    out.writeUInt16LE(tag, p);
    out.writeUInt16LE(type, p + 2);
    out.writeUInt32LE(count, p + 4);
    out.writeUInt32LE(value, p + 8);
  });
  return out;
}
