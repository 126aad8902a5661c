import * as ort from "onnxruntime-node";
import { TesseraeError } from "../errors.ts";
import { encodeModel } from "../graph/onnx.ts";
import { program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import { allocate, type DType, type Shape, sizeOf, type TensorData, type TypedArray } from "../graph/types.ts";
import type { State, Tensors } from "../runtime/backend.ts";

export const toOrt = ({ dtype, shape, data }: TensorData): ort.Tensor =>
  new ort.Tensor(dtype as "float32", data as Float32Array, shape);

export const fromOrt = (t: ort.Tensor): TensorData => ({
  dtype: t.type as DType,
  shape: t.dims,
  data: t.data as TypedArray,
});

const copyOf = (t: TensorData): TensorData => ({ ...t, data: t.data.slice() as TypedArray });

const unknown = (name: string): TesseraeError => new TesseraeError("internal", `the state has no tensor ${name}`);

/** What a session needs of a state. */
export interface OrtState extends State {
  /** The value that a run reads. */
  current(name: string): ort.Tensor | undefined;
  /** Where a run writes the next value; undefined: the runtime allocates. */
  target(name: string): ort.Tensor | undefined;
  /** Ends a run: its outputs become current, or are dropped. */
  settle(next: ReadonlyMap<string, ort.Tensor>, commit: boolean): void;
}

/** Two host buffers a tensor: a run reads one and writes the other, then they change places. Nothing is copied. */
export class HostState implements OrtState {
  readonly #front = new Map<string, ort.Tensor>();
  readonly #back = new Map<string, ort.Tensor>();

  constructor(tensors: Tensors) {
    for (const [name, t] of tensors) {
      this.#front.set(name, toOrt(copyOf(t)));
      this.#back.set(name, toOrt({ ...t, data: allocate(t.dtype, sizeOf(t.shape)) }));
    }
  }

  current = (name: string): ort.Tensor | undefined => this.#front.get(name);
  target = (name: string): ort.Tensor | undefined => this.#back.get(name);

  settle(next: ReadonlyMap<string, ort.Tensor>, commit: boolean): void {
    if (!commit) return;
    for (const [name, value] of next) {
      this.#back.set(name, this.#get(name));
      this.#front.set(name, value);
    }
  }

  async read(names: readonly string[] = [...this.#front.keys()]): Promise<Map<string, TensorData>> {
    return new Map(names.map((name) => [name, copyOf(fromOrt(this.#get(name)))]));
  }

  async write(tensors: Tensors): Promise<void> {
    for (const [name, t] of tensors) (this.#get(name).data as Float32Array).set(t.data as Float32Array);
  }

  async dispose(): Promise<void> {
    this.#front.clear();
    this.#back.clear();
  }

  #get(name: string): ort.Tensor {
    const t = this.#front.get(name);
    if (!t) throw unknown(name);
    return t;
  }
}

/** Tensors that stay in the device's buffers from run to run; they cross to the host only when read. */
export class DeviceState implements OrtState {
  readonly #tensors = new Map<string, ort.Tensor>();
  readonly #types = new Map<string, { dtype: DType; shape: Shape }>();
  readonly #device: string;

  constructor(tensors: Tensors, device: string) {
    this.#device = device;
    for (const [name, t] of tensors) {
      this.#tensors.set(name, toOrt(copyOf(t)));
      this.#types.set(name, { dtype: t.dtype, shape: t.shape });
    }
  }

  current = (name: string): ort.Tensor | undefined => this.#tensors.get(name);
  target = (): undefined => undefined;

  settle(next: ReadonlyMap<string, ort.Tensor>, commit: boolean): void {
    for (const [name, value] of next) {
      release(commit ? this.#tensors.get(name) : value);
      if (commit) this.#tensors.set(name, value);
    }
  }

  /** The binding has no download of its own: a program that copies its inputs brings them back. */
  async read(names: readonly string[] = [...this.#tensors.keys()]): Promise<Map<string, TensorData>> {
    const away = names.filter((name) => this.#get(name).location !== "cpu");
    const copied = away.length ? await this.#download(away) : new Map<string, TensorData>();
    return new Map(names.map((name) => [name, copied.get(name) ?? copyOf(fromOrt(this.#get(name)))]));
  }

  async #download(names: readonly string[]): Promise<Map<string, TensorData>> {
    const outputs = new Map(
      names.map((name) => {
        const { dtype, shape } = this.#types.get(name) as { dtype: DType; shape: Shape };
        return [`copy:${name}`, input(name, dtype, shape)];
      }),
    );
    const { model } = encodeModel(program("read", outputs));
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [this.#device],
      logSeverityLevel: 3,
    });
    const results = await session.run(Object.fromEntries(names.map((name) => [name, this.#get(name)])));
    await session.release();
    return new Map(names.map((name) => [name, fromOrt(results[`copy:${name}`] as ort.Tensor)]));
  }

  async write(tensors: Tensors): Promise<void> {
    for (const [name, t] of tensors) {
      release(this.#get(name));
      this.#tensors.set(name, toOrt(copyOf(t)));
    }
  }

  async dispose(): Promise<void> {
    for (const t of this.#tensors.values()) release(t);
    this.#tensors.clear();
  }

  #get(name: string): ort.Tensor {
    const t = this.#tensors.get(name);
    if (!t) throw unknown(name);
    return t;
  }
}

const release = (t: ort.Tensor | undefined): void => {
  if (t && t.location !== "cpu") t.dispose();
};
