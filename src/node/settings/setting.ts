/** How the text of a flag is read: a number, a whole number, one of at least 1, two numbers, any count of them, words, a choice of words... */
export type Kind =
  | "number"
  | "whole"
  | "count"
  | "pair"
  | "list"
  | "globs"
  | "text"
  | "switch"
  | "keyValue"
  | readonly string[];

/** A condition on one value, in words that follow "must be". */
export interface Condition<T> {
  readonly be: string;
  readonly ok: (value: T) => boolean;
}

/** One setting of a training run: its flag, default and meaning in one place. */
export interface Setting<T> {
  /** As commander writes it: "-b, --batch-size <n>". */
  readonly flag: string;
  readonly kind: Kind;
  /** undefined: absent unless given. */
  readonly default: T;
  /** One line; the default is added to it. */
  readonly help: string;
  readonly must?: Condition<NonNullable<T>>;
  /** What the word "off" stands for, where the flag takes it. */
  readonly off?: { readonly value: T };
  /** The value of the flag given alone, where its value may be left out. */
  readonly alone?: T;
  /** Changes no weight of the run: it may change on resume without a word. */
  readonly free?: true;
}

export const setting = <T>(given: Setting<T>): Setting<T> => given;

export const above = (least: number): Condition<number> => ({
  be: `above ${least}`,
  ok: (v) => v > least && Number.isFinite(v),
});

export const atLeast = (least: number): Condition<number> => ({
  be: `at least ${least}`,
  ok: (v) => v >= least && Number.isFinite(v),
});

/** A whole number of at least `least`. */
export const wholeFrom = (least: number): Condition<number> => ({
  be: `a whole number of at least ${least}`,
  ok: (v) => Number.isSafeInteger(v) && v >= least,
});

export const anyWhole: Condition<number> = { be: "a whole number", ok: Number.isSafeInteger };

/** In [0, 1]. */
export const probability: Condition<number> = { be: "a probability, in [0, 1]", ok: (v) => v >= 0 && v <= 1 };

/** In [0, 1). */
export const part: Condition<number> = { be: "in [0, 1)", ok: (v) => v >= 0 && v < 1 };

/** In (0, 1). */
export const inside: Condition<number> = { be: "in (0, 1)", ok: (v) => v > 0 && v < 1 };

export const oneOf = <T extends string>(names: readonly T[]): Condition<T> => ({
  be: `one of ${names.join(", ")}`,
  ok: (v) => names.includes(v),
});
