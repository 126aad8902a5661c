import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { CurveTail } from "./curves.ts";
import type { Place } from "./folders.ts";

/** How often files are looked at while someone watches, in milliseconds. */
const PERIOD = 500;

/** Looks without news after which a comment keeps the connection alive. */
const QUIET = 20;

const pause = (ends: AbortSignal): Promise<void> => sleep(PERIOD, undefined, { signal: ends }).catch(() => {});

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export interface WatchOptions {
  /** Runs whose curves are sent. */
  readonly places: readonly Place[];
  /** A text that changes with the list of runs. */
  readonly list: () => Promise<string>;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

/**
 * Server-sent events until the page goes away: "curves" {id, curves} of each run, whole at first and then what is new; "runs"
 * when the list of runs has changed.
 */
export async function sendEvents(response: ServerResponse, { places, list, signal }: WatchOptions): Promise<void> {
  const tails = places.map((place) => ({ id: place.id, tail: new CurveTail(place) }));
  let known: string | undefined;
  let quiet = 0;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const ends = AbortSignal.any([signal, gone.signal]);
  while (!ends.aborted) {
    // A page that does not read is told no more until it does.
    if (response.writableNeedDrain) {
      await pause(ends);
      continue;
    }
    const news: string[] = [];
    for (const { id, tail } of tails) {
      const curves = await tail.next();
      if (curves) news.push(event("curves", { id, curves }));
    }
    const now = await list();
    if (known !== undefined && now !== known) news.push(event("runs", {}));
    known = now;
    if (news.length === 0 && ++quiet >= QUIET) news.push(": still here\n\n");
    if (news.length > 0) {
      quiet = 0;
      response.write(news.join(""));
    }
    await pause(ends);
  }
  response.end();
}
