import type * as Common from "onnxruntime-common";
import { TesseraeError } from "../errors.ts";
import { encodeModel } from "../graph/onnx.ts";
import { program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import { allocate, type DType, type Shape, sizeOf, type TensorData, type TypedArray } from "../graph/types.ts";
import type { State, Tensors } from "./backend.ts";

/** An onnxruntime, of any platform. */
export type Ort = Pick<typeof Common, "Tensor" | "InferenceSession">;

type OrtTensor = Common.Tensor;

export const toOrt = (ort: Ort, { dtype, shape, data }: TensorData): OrtTensor =>
  new ort.Tensor(dtype as "float32", data as Float32Array, shape);

export const fromOrt = (t: OrtTensor): TensorData => ({
  dtype: t.type as DType,
  shape: t.dims,
  data: t.data as TypedArray,
});

const copyOf = (t: TensorData): TensorData => ({ ...t, data: t.data.slice() as TypedArray });

const unknown = (name: string): TesseraeError => new TesseraeError("internal", `the state has no tensor ${name}`);

/** What a session needs of a state. */
export interface OrtState extends State {
  /** The value that a run reads. */
  current(name: string): OrtTensor | undefined;
  /** Where a run writes the next value; undefined: the runtime allocates. */
  target(name: string): OrtTensor | undefined;
  /** Ends a run: its outputs become current, or are dropped. */
  settle(next: ReadonlyMap<string, OrtTensor>, commit: boolean): void;
}

/**
 * Tensors in the host's memory. `doubled`: two buffers for each tensor that a run gives the next value of, of which it reads one
 * and writes the other, then they change places and nothing is copied; for a runtime that writes into the outputs it is given.
 */
export class HostState implements OrtState {
  readonly #front = new Map<string, OrtTensor>();
  readonly #back = new Map<string, OrtTensor>();
  readonly #doubled: boolean;
  readonly #ort: Ort;

  constructor(ort: Ort, tensors: Tensors, { doubled }: { doubled: boolean }) {
    this.#doubled = doubled;
    this.#ort = ort;
    for (const [name, t] of tensors) this.#front.set(name, toOrt(ort, copyOf(t)));
  }

  current = (name: string): OrtTensor | undefined => this.#front.get(name);

  target(name: string): OrtTensor | undefined {
    if (!this.#doubled) return undefined;
    const { dtype, shape } = fromOrt(this.#get(name));
    const back = this.#back.get(name) ?? toOrt(this.#ort, { dtype, shape, data: allocate(dtype, sizeOf(shape)) });
    this.#back.set(name, back);
    return back;
  }

  settle(next: ReadonlyMap<string, OrtTensor>, commit: boolean): void {
    if (!commit) return;
    for (const [name, value] of next) {
      const before = this.#get(name);
      if (this.#doubled) this.#back.set(name, before);
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

  #get(name: string): OrtTensor {
    const t = this.#front.get(name);
    if (!t) throw unknown(name);
    return t;
  }
}

/** Tensors that stay in the device's buffers from run to run; they cross to the host only when read. */
export class DeviceState implements OrtState {
  readonly #tensors = new Map<string, OrtTensor>();
  readonly #types = new Map<string, { dtype: DType; shape: Shape }>();
  readonly #device: string;
  readonly #ort: Ort;

  constructor(ort: Ort, tensors: Tensors, device: string) {
    this.#ort = ort;
    this.#device = device;
    for (const [name, t] of tensors) {
      this.#tensors.set(name, toOrt(ort, copyOf(t)));
      this.#types.set(name, { dtype: t.dtype, shape: t.shape });
    }
  }

  current = (name: string): OrtTensor | undefined => this.#tensors.get(name);
  target = (): undefined => undefined;

  settle(next: ReadonlyMap<string, OrtTensor>, commit: boolean): void {
    for (const [name, value] of next) {
      release(commit ? this.#tensors.get(name) : value);
      if (commit) this.#tensors.set(name, value);
    }
  }

  /** Not every binding has a download of its own: a program that copies its inputs brings them back. */
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
    const session = await this.#ort.InferenceSession.create(model, {
      executionProviders: [this.#device],
      logSeverityLevel: 3,
    });
    const results = await session.run(Object.fromEntries(names.map((name) => [name, this.#get(name)])));
    await session.release();
    return new Map(names.map((name) => [name, fromOrt(results[`copy:${name}`] as OrtTensor)]));
  }

  async write(tensors: Tensors): Promise<void> {
    for (const [name, t] of tensors) {
      release(this.#get(name));
      this.#tensors.set(name, toOrt(this.#ort, copyOf(t)));
    }
  }

  async dispose(): Promise<void> {
    for (const t of this.#tensors.values()) release(t);
    this.#tensors.clear();
  }

  #get(name: string): OrtTensor {
    const t = this.#tensors.get(name);
    if (!t) throw unknown(name);
    return t;
  }
}

const release = (t: OrtTensor | undefined): void => {
  if (t && t.location !== "cpu") t.dispose();
};
