import { TesseraeError } from "../errors.ts";

/** Bytes that can be read at any place: a file, or memory. */
export interface ByteSource {
  readonly size: number;
  /** Named in errors: the file's path. */
  readonly where: string;
  /** Exactly `length` bytes from `at`; the caller checks that they lie within `size`. */
  read(at: number, length: number): Promise<Uint8Array>;
}

/** A source over memory: reads are views, never copies. */
export const bytesSource = (bytes: Uint8Array, where: string): ByteSource => ({
  size: bytes.byteLength,
  where,
  read: async (at, length) => bytes.subarray(at, at + length),
});

/** Says that a file is not what it should be; never returns. */
export const refuser =
  (where: string, hint?: string) =>
  (what: string, other = hint): never => {
    throw new TesseraeError("weights", what, { where, hint: other });
  };

/** Says what is wrong with a file, with another hint than the reader's own where one is given. */
export type Refuse = (what: string, hint?: string) => never;
