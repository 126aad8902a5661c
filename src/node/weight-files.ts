import { type FileHandle, open } from "node:fs/promises";
import { TesseraeError } from "../errors.ts";
import { type ByteSource, refuser } from "../weights/byte-source.ts";
import { type HostTensor, tensorFromBytes } from "../weights/host-tensor.ts";
import { readNpz } from "../weights/npz.ts";
import { parseHeader } from "../weights/safetensors.ts";
import { readTorch } from "../weights/torch.ts";
import { looksLikeZip, openZip } from "../weights/zip.ts";
import { errorCode, ioError } from "./file-system.ts";

export const WEIGHT_FILES = /\.(safetensors|pth|pt|bin|ckpt|tar|npz)$/i;

/** A file that is read in places. */
const fileSource = (file: FileHandle, size: number, where: string): ByteSource => ({
  size,
  where,
  read: async (at, length) => {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, length - done, at + done);
      if (bytesRead === 0) throw new TesseraeError("io", "became shorter while it was read", { where });
      done += bytesRead;
    }
    return bytes;
  },
});

/** Tensors of a .safetensors file: its header is checked before anything else is read. */
async function readSafetensorsFrom(source: ByteSource): Promise<Map<string, HostTensor>> {
  const { where, size } = source;
  const fail = refuser(where);
  if (size < 8) fail(`${size} bytes are too few for a safetensors file`);
  const length = new DataView((await source.read(0, 8)).slice().buffer).getBigUint64(0, true);
  const head = length > BigInt(size - 8) || length > 2n ** 25n ? 8 : 8 + Number(length); // parseHeader refuses these
  const { tensors, dataStart } = parseHeader(await source.read(0, head), { where, fileSize: size });
  const out = new Map<string, HostTensor>();
  for (const [name, { dtype, shape, begin, end }] of tensors)
    out.set(name, tensorFromBytes(dtype, shape, await source.read(dataStart + begin, end - begin)));
  return out;
}

/**
 * Tensors of a file of weights by name: safetensors, PyTorch's zip format or NumPy's .npz, told apart by what is in
 * it. Nothing in a file is ever run. Throws TesseraeError("io" | "weights").
 */
export async function readWeightFile(path: string): Promise<Map<string, HostTensor>> {
  const file = await open(path).catch((error) => {
    if (errorCode(error) === "ENOENT") throw new TesseraeError("io", "no such file", { where: path });
    throw ioError("cannot open the weights", error, { where: path });
  });
  try {
    const source = fileSource(file, (await file.stat()).size, path);
    const head = await source.read(0, Math.min(4, source.size));
    if (looksLikeZip(head)) {
      const { entries } = await openZip(source);
      const arrays = [...entries.keys()].every((name) => name.endsWith(".npy"));
      return await (arrays ? readNpz(source) : readTorch(source));
    }
    return /\.safetensors$/i.test(path) ? await readSafetensorsFrom(source) : await readTorch(source);
  } finally {
    await file.close();
  }
}
