import type { Random } from "../data/random.ts";
import { TesseraeError } from "../errors.ts";
import { currentScope, Tensor, withScope } from "../graph/tensor.ts";
import type { DType, Shape } from "../graph/types.ts";
import "../ops/index.ts";
import type { Size } from "./size.ts";

/** Fills a fresh tensor, row-major, from a seeded stream of its own. */
export type Init = (shape: Shape, random: Random) => Float32Array;

/** A tensor that a module owns: a trained parameter, or a buffer such as running statistics. */
export interface Slot {
  readonly slot: "parameter" | "buffer";
  readonly shape: Shape;
  readonly dtype: DType;
  readonly init: Init;
  /** Weight decay applies. Default: for tensors of two or more axes. */
  readonly decay: boolean;
  /** For a position table [1, prefix + H·W, D]: the grid it covers. */
  readonly grid?: PositionGrid;
  /** For a table of offsets, [(2H-1)·(2W-1), heads] or [heads, 2H-1, 2W-1]: the window [H, W]. */
  readonly window?: Size;
}

/** Patches that a position table covers, after `prefix` tokens without a place. */
export interface PositionGrid {
  readonly size: Size;
  readonly prefix: number;
}

type Child = Slot | AnyModule | readonly AnyModule[] | undefined;
export type Children = Readonly<Record<string, Child>>;

// biome-ignore lint/suspicious/noExplicitAny: children of a module whose inside does not matter
type AnyChildren = any;

/**
 * A layer: children by the names they have in the state dict, and what it does to tensors. Called inside a
 * trace only, through the bound form of its parent.
 */
export interface Module<A extends unknown[], R, C = AnyChildren> {
  readonly children: C;
  readonly forward: (self: Bound<C>, ...args: A) => R;
}

// biome-ignore lint/suspicious/noExplicitAny: the top type of modules, whatever their arguments
export type AnyModule = Module<any, any, any>;

type Bind<C> = C extends Slot
  ? Tensor
  : C extends Module<infer A, infer R, infer K>
    ? BoundModule<A, R, K>
    : C extends readonly (infer E)[]
      ? readonly Bind<E>[]
      : C;

/** A module inside a trace: call it, or reach its children; slots are tensors. */
export type BoundModule<A extends unknown[], R, C> = ((...args: A) => R) & Bound<C>;
export type Bound<C> = { readonly [K in keyof C]: Bind<C[K]> };

/** Makes a layer. Key order is state-dict order: own slots first, then children, as in PyTorch. */
export const module = <const C extends Children, A extends unknown[], R>(
  children: C,
  forward: (self: Bound<C>, ...args: A) => R,
): Module<A, R, C> => ({ children, forward });

/** A module that owns nothing. */
export const fn = <A extends unknown[], R>(forward: (...args: A) => R): Module<A, R, object> =>
  ({ children: {}, forward: (_self: object, ...args: A) => forward(...args) }) as Module<A, R, object>;

export const identity = () => fn((x: Tensor) => x);

export const parameter = (
  shape: Shape,
  init: Init,
  options: { decay?: boolean; grid?: PositionGrid; window?: Size } = {},
): Slot => ({
  slot: "parameter",
  shape,
  dtype: "float32",
  init,
  decay: options.decay ?? shape.length >= 2,
  grid: options.grid,
  window: options.window,
});

export const buffer = (shape: Shape, init: Init, dtype: DType = "float32"): Slot => ({
  slot: "buffer",
  shape,
  dtype,
  init,
  decay: false,
});

const isSlot = (child: object): child is Slot => "slot" in child;

/** A slot with its state-dict name. */
export interface NamedSlot extends Slot {
  readonly name: string;
}

const join = (path: string, key: string | number): string => (path ? `${path}.${key}` : String(key));

/** Every slot of a module in state-dict order. */
export function slotsOf(root: AnyModule, path = ""): NamedSlot[] {
  const own: NamedSlot[] = [];
  const below: NamedSlot[] = [];
  for (const [key, child] of Object.entries(root.children as Children)) {
    if (child === undefined) continue;
    if (Array.isArray(child)) below.push(...child.flatMap((c, i) => slotsOf(c, join(join(path, key), i))));
    else if (isSlot(child)) own.push({ ...child, name: join(path, key) });
    else below.push(...slotsOf(child as AnyModule, join(path, key)));
  }
  const rank = (s: Slot): number => Number(s.slot === "buffer");
  return [...own.sort((a, b) => rank(a) - rank(b)), ...below];
}

/** What a trace knows: where slots come from, and whether the graph is for training. */
export interface TraceOptions {
  readonly training: boolean;
  readonly resolve: (slot: NamedSlot) => Tensor;
  /** Uniform [0, 1) float32 noise for dropout and the like; absent where the program draws none. */
  readonly noise?: (shape: Shape) => Tensor;
  /** Slots that training leaves as they are. */
  readonly frozen?: ReadonlySet<string>;
}

/** A trace in progress: collects new buffer values and named inner tensors. */
export class Trace {
  readonly training: boolean;
  /** New values of buffers (running statistics), by state-dict name. */
  readonly updates = new Map<string, Tensor>();
  /** Inner tensors named by `tap`, such as "blocks.0.attn.probs". */
  readonly taps = new Map<string, Tensor>();
  /** What modules gave, by path, where that is one tensor; of a module called often the last. */
  readonly outputs = new Map<string, Tensor>();
  readonly noise: (shape: Shape) => Tensor;
  readonly #resolve: TraceOptions["resolve"];
  readonly #frozen: ReadonlySet<string>;
  readonly #slots = new Map<string, Tensor>();
  readonly #names = new Map<Tensor, string>();

  constructor({ training, resolve, noise, frozen = new Set() }: TraceOptions) {
    this.training = training;
    this.#resolve = resolve;
    this.#frozen = frozen;
    this.noise =
      noise ??
      (() => {
        throw new TesseraeError("internal", "this program has no random numbers");
      });
  }

  slot(name: string, slot: Slot): Tensor {
    let t = this.#slots.get(name);
    if (!t) {
      t = this.#resolve({ ...slot, name });
      this.#slots.set(name, t);
      this.#names.set(t, name);
    }
    return t;
  }

  /** Whether training leaves this slot as it is. */
  isFrozen(slot: Tensor): boolean {
    const name = this.#names.get(slot);
    return name !== undefined && this.#frozen.has(name);
  }

  /** Sets the value that a buffer has after the step. */
  update(buffer: Tensor, value: Tensor): void {
    this.updates.set(this.#names.get(buffer) as string, value);
  }
}

let current: Trace | undefined;

/** The trace in progress. */
export function trace(): Trace {
  if (!current) throw new TesseraeError("internal", "layers run inside a trace only");
  return current;
}

export const isTraining = (): boolean => trace().training;

/** Names an inner tensor "<module path>.<name>" for figures and tests, and passes it on. */
export function tap(name: string, t: Tensor): Tensor {
  trace().taps.set(join(currentScope(), name), t);
  return t;
}

/** Runs a module under a trace: `f` receives it bound. */
export function withTrace<A extends unknown[], R, C, T>(
  context: Trace,
  root: Module<A, R, C>,
  f: (root: BoundModule<A, R, C>) => T,
): T {
  const outer = current;
  current = context;
  try {
    return f(bindModule(root, "", context));
  } finally {
    current = outer;
  }
}

function bindModule<A extends unknown[], R, C>(
  root: Module<A, R, C>,
  path: string,
  context: Trace,
): BoundModule<A, R, C> {
  const self = ((...args: A) => {
    const result = withScope(path, () => root.forward(self, ...args));
    if (result instanceof Tensor) context.outputs.set(path, result);
    return result;
  }) as BoundModule<A, R, C>;
  for (const [key, child] of Object.entries(root.children as Children)) {
    let bound: unknown;
    const get = () => (bound ??= child && bindChild(child, join(path, key), context));
    Object.defineProperty(self, key, { get, configurable: true });
  }
  return self;
}

function bindChild(child: NonNullable<Child>, path: string, context: Trace): unknown {
  if (Array.isArray(child)) return child.map((c, i) => bindModule(c, join(path, i), context));
  return isSlot(child) ? context.slot(path, child) : bindModule(child as AnyModule, path, context);
}
