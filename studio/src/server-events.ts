/** One server-sent event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** An event of a stream's block of lines; undefined for a comment. */
export function parseEvent(block: string): ServerEvent | undefined {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length > 0 ? { name, data: data.join("\n") } : undefined;
}

const PAUSE_MS = 2000;

/** Reads one response to its end. */
async function readEvents(response: Response, on: (event: ServerEvent) => void): Promise<void> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) on(event);
    }
  }
}

const shown = (): boolean => document.visibilityState === "visible";

/** Resolves when the page is looked at, or the signal says that nobody waits. */
const whenShown = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (shown() || signal.aborted) return resolve();
    const check = () => {
      if (!shown() && !signal.aborted) return;
      document.removeEventListener("visibilitychange", check);
      signal.removeEventListener("abort", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    signal.addEventListener("abort", check);
  });

/** A signal that also ends when the page is hidden: browsers open few connections at a time, and a hidden page needs none. */
function whileShown(signal: AbortSignal): AbortSignal {
  const hidden = new AbortController();
  document.addEventListener("visibilitychange", () => !shown() && hidden.abort(), { signal: hidden.signal });
  return AbortSignal.any([signal, hidden.signal]);
}

/**
 * Server-sent events by fetch, which can send a header where EventSource cannot. A stream that ends is opened again, until
 * the returned function is called; while the page is hidden it is closed.
 */
export function serverEvents(
  open: (signal: AbortSignal) => Promise<Response>,
  on: (event: ServerEvent) => void,
): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await whenShown(signal);
      try {
        await readEvents(await open(whileShown(signal)), on);
      } catch {} // opened again below
      if (!signal.aborted && shown()) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  void run();
  return () => controller.abort();
}
