import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { DataFile, ImageDataset, ImageSample } from "../../data/dataset.ts";
import { errorCode } from "../file-system.ts";
import { openReadOnly } from "../read-file.ts";
import { readClasses, tabulate } from "./labels.ts";
import { dataError, type OpenSource } from "./source.ts";

/** Files of the MNIST family (MNIST, Fashion-MNIST, KMNIST): http://yann.lecun.com/exdb/mnist, plain or gzipped. */
const NAME = /^(train|t10k|test)-(images[-.]idx3|labels[-.]idx1)-ubyte(\.gz)?$/;
/** Where torchvision and others put them. */
const FOLDERS = ["", "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw"];
/** Most bytes that a compressed file may unpack to. */
const MAX_BYTES = 2 ** 31;

interface Files {
  images?: string;
  labels?: string;
}

export const openMnist: OpenSource = async (path) => {
  for (const inner of FOLDERS) {
    const folder = join(path, inner);
    const parts = new Map<string, Files>();
    // The plain file comes last and wins over a compressed one.
    for (const name of (await readdir(folder).catch(() => [])).sort().reverse()) {
      const [, part, what] = NAME.exec(name) ?? [];
      if (!part) continue;
      const split = part === "train" ? "train" : "test";
      const files = parts.get(split) ?? {};
      parts.set(split, files);
      files[what.startsWith("images") ? "images" : "labels"] = join(folder, name);
    }
    if (parts.size === 0) continue;
    const splits = ["train", "test"].filter((split) => parts.has(split));
    return { splits, open: (split) => openPart(folder, split, parts.get(split) as Files) };
  }
  return undefined;
};

async function openPart(root: string, split: string, files: Files): Promise<ImageDataset> {
  if (!files.images || !files.labels) {
    throw dataError(
      root,
      `has the ${files.images ? "images" : "labels"} of ${split} but not the ${files.images ? "labels" : "images"}`,
    );
  }
  const images = readIdx(files.images, 3);
  const labels = readIdx(files.labels, 1);
  const [count, height, width] = images.sizes;
  if (labels.sizes[0] !== count) {
    throw dataError(files.labels, `has ${labels.sizes[0]} labels for ${count} images`);
  }
  const texts = Array.from(labels.content(), String);
  const table = tabulate(texts, (i) => `${files.labels}#${i}`, await readClasses(root));
  const file: DataFile = { kind: "pixels", path: files.images, bytes: images.fileBytes, width, height, channels: 1 };
  if (files.images.endsWith(".gz")) file.memory = shared(images.content());
  const first = file.memory ? 0 : images.start;
  const length = width * height;
  const samples = table.labels.map((label, i): ImageSample => {
    return { path: `${files.images}#${i}`, label, place: { file: 0, at: first + i * length, length } };
  });
  return { classes: table.classes, samples, root, files: [file] };
}

function shared(bytes: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
}

/**
 * An IDX file of bytes: 0, 0, type 8, rank, the sizes as big-endian 32-bit numbers, the content.
 * @throws TesseraeError `data` where the header lies about the length.
 */
function readIdx(path: string, rank: number) {
  const file = openReadOnly(path);
  try {
    const packed = path.endsWith(".gz");
    const all = packed ? unpack(path, file.read(0, file.size)) : undefined;
    const start = 4 + 4 * rank;
    const head = all ? Buffer.from(all.subarray(0, start)) : file.read(0, start);
    if (head.length < start || head[0] !== 0 || head[1] !== 0 || head[2] !== 8 || head[3] !== rank) {
      throw dataError(path, `does not begin as an IDX file of ${rank === 1 ? "labels" : "images"}`);
    }
    const sizes = Array.from({ length: rank }, (_, i) => head.readUInt32BE(4 + 4 * i));
    const want = sizes.reduce((a, b) => a * b, 1);
    const have = (all?.length ?? file.size) - start;
    if (want === 0) throw dataError(path, "holds nothing");
    if (want !== have) {
      throw dataError(path, `${sizes.join(" x ")} values are announced, there are ${have}`);
    }
    const content = all ? all.subarray(start) : rank === 1 ? file.read(start, want) : undefined;
    return { sizes, start, fileBytes: file.size, content: () => content as Uint8Array };
  } finally {
    file.close();
  }
}

function unpack(path: string, bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    const code = errorCode(cause);
    throw dataError(
      path,
      code === "ERR_BUFFER_TOO_LARGE" ? "unpacks to more than 2 GiB" : "damaged or truncated gzip data",
    );
  }
}
