import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";
import { TesseraeError } from "../../errors.ts";

/** Addresses of this machine alone. Throws TesseraeError("usage") for any other. */
export function checkLoopback(host: string): string {
  if (host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))) return host;
  throw new TesseraeError("usage", "is not an address of this machine alone", {
    where: host,
    hint: "The studio listens on 127.0.0.1, ::1 or localhost; from elsewhere, use an SSH tunnel",
  });
}

/** Throws TesseraeError("usage") for a number that is no port; 0 stands for one that is free. */
export function checkPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new TesseraeError("usage", "is not a port", {
    where: String(port),
    hint: "Ports are 1 to 65535, 0 for a free one",
  });
}

/** 256 random bits. */
export const newToken = (): string => randomBytes(32).toString("base64url");

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether two secrets are equal, in a time that tells nothing of where they differ. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

/** Host as a browser writes it into its headers. */
export const hostHeader = (host: string, port: number): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** A request that is not answered: the status, and a line for people. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
}

/**
 * Why a request is not for this server, whoever sent it. A name that an attacker points at this machine (DNS rebinding) comes
 * with that name as its Host; a page of another origin comes with that Origin, or says so in Sec-Fetch-Site.
 */
export function foreign(
  { headers }: Pick<IncomingMessage, "headers">,
  hosts: ReadonlySet<string>,
): Refusal | undefined {
  const { host, origin, "sec-fetch-site": site } = headers;
  if (host === undefined || !hosts.has(host.toLowerCase()))
    return { status: 421, why: "this host is not the studio's address" };
  if (origin !== undefined && origin !== `http://${host.toLowerCase()}`)
    return { status: 403, why: "requests of other pages are refused" };
  // A link on another page may open the studio; nothing else of another origin is answered.
  if (site !== undefined && site !== "same-origin" && site !== "none" && headers["sec-fetch-mode"] !== "navigate")
    return { status: 403, why: "requests of other pages are refused" };
  return undefined;
}

/** Whether a request has the token: `Authorization: Bearer TOKEN`. */
export const hasToken = ({ headers }: Pick<IncomingMessage, "headers">, token: string): boolean =>
  sameSecret(/^Bearer ([\w-]{1,200})$/.exec(headers.authorization ?? "")?.[1] ?? "", token);

/** Headers of every answer. The page takes scripts, styles and data from its own address and nothing from anywhere else. */
export const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
