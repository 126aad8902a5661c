import { useEffect, useState } from "preact/hooks";

/** What the page shows, as its address says: #/PATH?QUERY. */
export interface Route {
  /** Decoded parts of the path; none at the start. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export function parseRoute(hash: string): Route {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** A value, several of one name, or none. */
export type QueryValue = string | number | readonly (string | number)[] | undefined;

/** The address of a view. */
export function routeTo(path: readonly string[], query: Readonly<Record<string, QueryValue>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value])
      search.append(name, String(each));
  const text = search.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

const CHANGED = "tesserae-route";

/** Goes to a view; `replace` leaves no step to go back to, for what changes all the time. */
export function goTo(address: string, { replace = false } = {}): void {
  if (address === location.hash) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  dispatchEvent(new Event(CHANGED));
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    const events = ["hashchange", "popstate", CHANGED];
    for (const name of events) addEventListener(name, changed);
    return () => {
      for (const name of events) removeEventListener(name, changed);
    };
  }, []);
  return parseRoute(hash);
}
