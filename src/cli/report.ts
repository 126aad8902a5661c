import { CommanderError } from "commander";
import { TesseraeError } from "../errors.ts";
import { dieOf } from "./die.ts";

export const FAILED = 1;
export const USAGE = 2;
export const INTERRUPTED = 130;

/** Ends a command that has told the user all there is to tell. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Exit) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  return error instanceof TesseraeError && error.code === "usage" ? USAGE : FAILED;
}

/** Prints an error on stderr: one line, and with `debug` where it came from. */
export function report(error: unknown, { debug }: { debug: boolean }): void {
  // Commander has printed its own.
  if (error instanceof Exit || error instanceof CommanderError) return;
  process.stderr.write(`error: ${describe(error, debug)}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`);
}

export const oneLine = (text: string): string => text.trim().replace(/\s*[\r\n]+\s*/g, " ");

function describe(error: unknown, debug: boolean): string {
  if (error instanceof TesseraeError) return oneLine(error.message);
  const text = oneLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return debug ? text : `unexpected ${text}. Set --debug or DEBUG=1 to see where`;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? error}${cause}`;
}

/** A reader that goes away (`tesserae models | head`) is no error: the process ends of it as others do. */
export function quietPipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (process.platform === "win32") process.exit();
      dieOf("SIGPIPE");
    });
}
