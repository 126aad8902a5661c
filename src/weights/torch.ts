import { byteSize, type DType, sizeOf } from "../graph/types.ts";
import { type ByteSource, bytesSource, type Refuse, refuser } from "./byte-source.ts";
import { quoted } from "./header-scanner.ts";
import { type HostTensor, tensorFromBytes } from "./host-tensor.ts";
import { Callable, type PickleValue, readPickle } from "./pickle.ts";
import { looksLikeZip, openZip, readStored, type Zip, type ZipEntry } from "./zip.ts";

// The format (torch.save since 1.6): a zip of NAME/data.pkl, a pickle in which tensors stand as views (key of a storage,
// offset, size, stride), and NAME/data/KEY, the storages' bytes; NAME/byteorder says "little" or "big".

const STORAGES: Readonly<Record<string, DType>> = {
  FloatStorage: "float32",
  DoubleStorage: "float64",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

/** Largest pickle read: 100,000 tensors take about 15 MB. */
const MAX_PICKLE = 32 * 2 ** 20;
const MAX_RANK = 64;
const hint = "Save the weights alone: torch.save(model.state_dict(), FILE)";

/** A storage the pickle names: a type, and an entry of the zip. */
class Storage {
  readonly dtype: DType;
  readonly key: string;

  constructor(dtype: DType, key: string) {
    this.dtype = dtype;
    this.key = key;
  }
}

/** A tensor as the pickle has it: elements of a storage at offset + Σ index · stride. */
class TensorView {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

class StorageType {
  readonly dtype: DType;

  constructor(dtype: DType) {
    this.dtype = dtype;
  }
}

const isSize = (value: PickleValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isSizes = (value: PickleValue): value is readonly number[] =>
  Array.isArray(value) && value.length <= MAX_RANK && value.every(isSize);

/** The only names a pickle may call, by what they stand for here. */
function globalsOf(fail: Refuse): Map<string, PickleValue> {
  const rebuildTensor = (args: readonly PickleValue[]): PickleValue => {
    const [storage, offset, shape, strides] = args;
    const good = storage instanceof Storage && isSize(offset) && isSizes(shape) && isSizes(strides);
    if (!good || shape.length !== strides.length) return fail("a tensor is not described as PyTorch does");
    return new TensorView(storage, offset, shape, strides);
  };
  const callables = {
    "torch._utils _rebuild_tensor_v2": rebuildTensor,
    "torch._utils _rebuild_parameter": (args: readonly PickleValue[]): PickleValue =>
      args[0] instanceof TensorView ? args[0] : fail("a parameter that is no tensor"),
    "collections OrderedDict": (args: readonly PickleValue[]): PickleValue =>
      args.length === 0 ? new Map() : fail("an OrderedDict with arguments"),
    "torch Size": (args: readonly PickleValue[]): PickleValue => args[0] ?? fail("a size without numbers"),
  };
  const types = Object.entries(STORAGES).map(([name, dtype]): [string, PickleValue] => [
    `torch ${name}`,
    new StorageType(dtype),
  ]);
  return new Map([
    ...types,
    ...Object.entries(callables).map(([name, call]): [string, PickleValue] => [name, new Callable(name, call)]),
  ]);
}

/**
 * The tensors of a file that torch.save wrote (zip format), by state-dict name and in the file's order. Training
 * checkpoints are looked into: `model`, `state_dict` and the like. Nothing of the pickle is run: a name in it that is no
 * tensor's is refused. Throws TesseraeError("weights").
 */
export async function readTorch(input: ByteSource | Uint8Array, where = "torch"): Promise<Map<string, HostTensor>> {
  const source = input instanceof Uint8Array ? bytesSource(input, where) : input;
  const fail: Refuse = refuser(source.where, hint);
  const head = await source.read(0, Math.min(source.size, 4));
  if (head[0] === 0x80)
    fail("is in PyTorch's format before 1.6", "Load it once with torch.load, and torch.save the state dict again");
  if (!looksLikeZip(head)) fail("is not in PyTorch's zip format");
  const zip = await openZip(source);
  const { prefix, pickle } = findPickle(zip, fail);
  await checkByteOrder(zip, prefix, fail);
  const root = readPickle(await readStored(zip, pickle), {
    globals: globalsOf(fail),
    persistent: (id) => storageOf(id, fail),
    fail,
  });
  return readViews(zip, prefix, stateDict(root, fail), fail);
}

function findPickle(zip: Zip, fail: Refuse): { prefix: string; pickle: ZipEntry } {
  const found = [...zip.entries.values()].filter(({ name }) => /^[^/]*\/data\.pkl$|^data\.pkl$/.test(name));
  if (found.length !== 1) fail("holds no data.pkl: it is not a file of torch.save");
  const [pickle] = found;
  if (pickle.size > MAX_PICKLE) fail(`a pickle of ${pickle.size} bytes, more than the ${MAX_PICKLE} allowed`);
  const prefix = pickle.name.slice(0, -"data.pkl".length);
  if (zip.entries.has(`${prefix}constants.pkl`))
    fail("is a TorchScript program", "Save the weights alone: torch.save(model.state_dict(), FILE)");
  return { prefix, pickle };
}

async function checkByteOrder(zip: Zip, prefix: string, fail: Refuse): Promise<void> {
  const entry = zip.entries.get(`${prefix}byteorder`);
  if (!entry) return; // files before PyTorch 2.1
  const order = entry.size < 16 ? String.fromCharCode(...(await readStored(zip, entry))) : "";
  if (order !== "little") fail(`byte order ${quoted(order)} is not read`);
}

/** ("storage", type, key, device, elements). */
function storageOf(id: PickleValue, fail: Refuse): Storage {
  if (!Array.isArray(id) || id[0] !== "storage" || !(id[1] instanceof StorageType) || typeof id[2] !== "string")
    return fail("a storage is not named as PyTorch does");
  return new Storage(id[1].dtype, id[2]);
}

/** Where training scripts keep the weights, averaged ones first. */
const WRAPPERS = ["state_dict_ema", "model_ema", "ema_state_dict", "state_dict", "model", "module", "teacher", "net"];

/** The dict of tensors: the root, or what a training script wrapped it in. */
function stateDict(root: PickleValue, fail: Refuse): Map<string, TensorView> {
  let value = root;
  for (let depth = 0; depth < 4; depth++) {
    if (!(value instanceof Map)) return fail("holds no state dict");
    const views = tensorsOf(value);
    if (views.size > 0) return views;
    const map: ReadonlyMap<PickleValue, PickleValue> = value;
    const key = WRAPPERS.find((name) => map.get(name) instanceof Map);
    if (key === undefined) return fail(`holds no state dict under ${WRAPPERS.join(", ")}`);
    value = map.get(key) as PickleValue;
  }
  return fail("holds no state dict");
}

/** Tensors by name, without the "module." that data-parallel training puts in front. */
function tensorsOf(map: ReadonlyMap<PickleValue, PickleValue>): Map<string, TensorView> {
  const named = [...map].filter(
    (e): e is [string, TensorView] => typeof e[0] === "string" && e[1] instanceof TensorView,
  );
  const wrapped = named.length > 0 && named.every(([name]) => name.startsWith("module."));
  return new Map(wrapped ? named.map(([name, view]) => [name.slice("module.".length), view]) : named);
}

async function readViews(
  zip: Zip,
  prefix: string,
  views: ReadonlyMap<string, TensorView>,
  fail: Refuse,
): Promise<Map<string, HostTensor>> {
  const storages = new Map<string, Uint8Array>();
  const out = new Map<string, HostTensor>();
  let copied = 0;
  for (const [name, view] of views) {
    const { storage, shape } = view;
    const entry = zip.entries.get(`${prefix}data/${storage.key}`);
    if (!entry) return fail(`tensor ${quoted(name)} lies in storage ${quoted(storage.key)}, which is not in the file`);
    const elements = Math.floor(entry.size / byteSize(storage.dtype));
    checkView(name, view, elements, fail);
    const bytes = storages.get(storage.key) ?? (await readStored(zip, entry));
    storages.set(storage.key, bytes);
    if (isContiguous(view)) {
      const start = view.offset * byteSize(storage.dtype);
      const part = bytes.subarray(start, start + sizeOf(shape) * byteSize(storage.dtype));
      out.set(name, tensorFromBytes(storage.dtype, shape, part));
    } else {
      copied += sizeOf(shape) * byteSize(storage.dtype);
      if (copied > zip.source.size) fail("views of the same storages add up to more than the file");
      out.set(name, strided(view, bytes));
    }
  }
  return out;
}

/** Every element lies in the storage, and there are no more of them than the storage has. */
function checkView(name: string, { offset, shape, strides }: TensorView, elements: number, fail: Refuse): void {
  const size = shape.reduce((a, b) => a * b, 1);
  const last = shape.reduce((at, d, i) => at + (d - 1) * strides[i], offset);
  if (size > elements || (size > 0 && !(last < elements)))
    fail(
      `tensor ${quoted(name)} of shape [${shape.slice(0, 8)}] reaches beyond the ${elements} elements of its storage`,
    );
}

function isContiguous({ shape, strides }: TensorView): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return sizeOf(shape) === 0;
    step *= shape[i];
  }
  return true;
}

/** A view's elements in row-major order. */
function strided({ storage, offset, shape, strides }: TensorView, bytes: Uint8Array): HostTensor {
  const width = byteSize(storage.dtype);
  const out = new Uint8Array(sizeOf(shape) * width);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < out.byteLength; to += width) {
    for (let b = 0; b < width; b++) out[to + b] = bytes[from * width + b];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return tensorFromBytes(storage.dtype, shape, out);
}
