import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Lines of the protocol begin with this; whatever else a library prints is passed over. */
export const MARK = "@@";

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type Reply = Readonly<Record<string, unknown>>;

/** A long-lived process that answers one JSON line with one JSON line, and sleeps in between. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #waiting?: { resolve(reply: Reply): void; reject(error: Error): void };
  #stderr = "";

  constructor({ command, args, env }: ChildOptions) {
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    const fail = (what: string) => {
      this.#waiting?.reject(new Error(`${what}${lastLine(this.#stderr)}`));
      this.#waiting = undefined;
    };
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on("line", (line) => this.#take(line));
    this.#process.stderr?.on("data", (text) => (this.#stderr = (this.#stderr + text).slice(-8000)));
    this.#process.stdin?.on("error", () => {});
    this.#process.on("error", (error) => fail(error.message));
    this.#ended = new Promise((resolve) => {
      this.#process.on("error", () => resolve());
      this.#process.on("close", (code, signal) => {
        fail(`ended with ${signal ?? `exit code ${code}`}`);
        resolve();
      });
    });
  }

  /** Asks and waits. Rejects with what the process said, or when it takes longer than `timeout` milliseconds. */
  ask(request: Reply, timeout = 300_000): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null)
        return reject(new Error(`has ended${lastLine(this.#stderr)}`));
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        this.#process.kill("SIGKILL");
        reject(new Error(`no answer within ${Math.round(timeout / 1000)} s`));
      }, timeout);
      const done = () => clearTimeout(timer);
      this.#waiting = {
        resolve: (reply) => {
          done();
          resolve(reply);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Waits for the next line without asking. */
  next(timeout?: number): Promise<Reply> {
    return this.ask({ cmd: "none" }, timeout);
  }

  async close(): Promise<void> {
    this.#process.stdin?.end();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 2000);
    await this.#ended;
    clearTimeout(timer);
  }

  #take(line: string): void {
    if (!line.startsWith(MARK)) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const reply = JSON.parse(line.slice(MARK.length)) as Reply;
    if (typeof reply.error === "string") waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply);
  }
}

function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1) ?? "";
  return line && `: ${line.slice(0, 300)}`;
}
