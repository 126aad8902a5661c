/** The same items, of which the first is on its way at once. A failure is reported when that item is asked for. */
export function begun<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  const iterator = items[Symbol.asyncIterator]();
  const first = iterator.next();
  first.catch(() => {});
  return (async function* () {
    try {
      for (let item = await first; !item.done; item = await iterator.next()) yield item.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

interface Disposable {
  dispose(): Promise<void>;
}

/** Two things in the making; where one fails, the other is disposed of. */
export async function both<A extends Disposable | undefined, B extends Disposable>(
  a: Promise<A>,
  b: Promise<B>,
): Promise<[A, B]> {
  const made = await Promise.allSettled([a, b]);
  const failed = made.find((m) => m.status === "rejected");
  if (!failed) return Promise.all([a, b]);
  await Promise.all(made.map((m) => m.status === "fulfilled" && m.value?.dispose()));
  throw failed.reason;
}
