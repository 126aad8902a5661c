import { dieOf } from "./die.ts";

/** The first SIGINT or SIGTERM asks for an end and is told of; the second ends the process. */
export function onInterrupt(
  tell: (line: string) => void,
  what = "finishing the step and saving",
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const handler = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) dieOf(name);
    else {
      controller.abort();
      tell(`${name}: ${what}; once more ends at once`);
    }
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  for (const name of signals) process.on(name, handler);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, handler);
    },
  };
}
