import type { IncomingMessage } from "node:http";
import { TesseraeError } from "../../errors.ts";

/** Bytes of an image file that may be sent. */
export const MOST_UPLOAD = 32 * 2 ** 20;

export class TooLarge extends TesseraeError {
  constructor() {
    super("data", `the file is larger than the ${MOST_UPLOAD / 2 ** 20} MB that the studio takes`);
  }
}

/** The body of a request. Throws TooLarge before it is read where its length is told, else as soon as it is more. */
export async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > MOST_UPLOAD) throw new TooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_UPLOAD) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
