import { useEffect, useState } from "preact/hooks";

export interface Async<T> {
  readonly value?: T;
  /** One line for the user. */
  readonly error?: string;
  readonly busy: boolean;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The result of `ask`, asked again when `key` changes; undefined asks nothing. The last value stays until the next is there,
 * unless `fresh`: then a value of another key is never shown.
 */
export function useAsync<T>(key: string, ask: (() => Promise<T>) | undefined, { fresh = false } = {}): Async<T> {
  const [state, setState] = useState<Async<T> & { key?: string }>({ busy: ask !== undefined });
  useEffect(() => {
    if (!ask) return setState({ busy: false, key });
    let live = true;
    setState((s) => ({ value: s.value, key: s.key, busy: true }));
    ask().then(
      (value) => live && setState({ value, busy: false, key }),
      (error) => live && setState({ error: messageOf(error), busy: false, key }),
    );
    return () => {
      live = false;
    };
  }, [key]);
  return fresh && state.key !== key ? { busy: ask !== undefined } : state;
}
