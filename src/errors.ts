/** Machine-readable kinds of failure. `usage` exits with 2, everything else with 1. */
export type ErrorCode = "usage" | "data" | "model" | "shape" | "weights" | "runtime" | "numeric" | "io" | "internal";

/**
 * An error a user can act on: what happened, where, and what to do about it, in one line.
 * Every error the library throws on purpose is one of these.
 */
export class TesseraeError extends Error {
  override readonly name = "TesseraeError";
  readonly code: ErrorCode;
  readonly where?: string;
  readonly hint?: string;

  constructor(code: ErrorCode, what: string, detail: { where?: string; hint?: string; cause?: unknown } = {}) {
    const { where, hint, cause } = detail;
    super([where ? `${where}: ${what}` : what, hint].filter(Boolean).join(". "), { cause });
    this.code = code;
    this.where = where;
    this.hint = hint;
  }
}

/** The same failure, said to be of a file or whatever else `where` names. */
export function errorIn(error: unknown, where: string): unknown {
  if (!(error instanceof TesseraeError) || error.where === where) return error;
  const { code, message, hint, cause } = error;
  // The message says the hint already, and where within the file.
  return new TesseraeError(code, hint ? message.replace(`. ${hint}`, "") : message, { where, hint, cause });
}
