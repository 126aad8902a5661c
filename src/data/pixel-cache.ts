import type { PixelImage } from "./image.ts";

/** What `openPixelCache` needs; shared memory, so it goes to workers as it is. */
export interface PixelCacheMemory {
  /** Entry i: where sample i begins in `pixels`, in units of 16 bytes, plus one; 0 for absent. */
  places: SharedArrayBuffer;
  /** One Int32: the first free unit. */
  top: SharedArrayBuffer;
  pixels: SharedArrayBuffer;
}

export interface PixelCache {
  get(index: number): PixelImage | undefined;
  put(index: number, image: PixelImage): void;
  /** Whether an image of so many bytes would still be kept. */
  hasRoom(bytes: number): boolean;
}

const UNIT = 16;
const HEADER = 16;

export function allocatePixelCache(samples: number, bytes: number): PixelCacheMemory {
  return {
    places: new SharedArrayBuffer(4 * samples),
    top: new SharedArrayBuffer(4),
    pixels: new SharedArrayBuffer(Math.floor(bytes / UNIT) * UNIT),
  };
}

/**
 * Decoded images in memory that all threads share. It fills and then stays as it is: an epoch visits every sample
 * once, so throwing out the oldest would throw out what is needed soonest. An entry is a header (width, height,
 * channels as Int32) and the pixels; it is complete before its place is published.
 */
export function openPixelCache({ places, top, pixels }: PixelCacheMemory): PixelCache {
  const table = new Int32Array(places);
  const free = new Int32Array(top);
  const units = pixels.byteLength / UNIT;
  const needOf = (bytes: number): number => Math.ceil((HEADER + bytes) / UNIT);
  return {
    hasRoom: (bytes) => Atomics.load(free, 0) + needOf(bytes) <= units,
    get(index) {
      const place = Atomics.load(table, index);
      if (place === 0) return undefined;
      const at = (place - 1) * UNIT;
      const [width, height, channels] = new Int32Array(pixels, at, 3);
      const data = new Uint8Array(pixels, at + HEADER, width * height * channels);
      return { width, height, channels: channels === 1 ? 1 : 3, data };
    },
    put(index, { width, height, channels = 3, data }) {
      const size = width * height * channels;
      const need = needOf(size);
      // One thread at a time claims memory; an image that no longer fits leaves the rest to smaller ones.
      let at = Atomics.load(free, 0);
      for (;;) {
        if (at + need > units || Atomics.load(table, index) !== 0) return;
        const seen = Atomics.compareExchange(free, 0, at, at + need);
        if (seen === at) break;
        at = seen;
      }
      new Int32Array(pixels, at * UNIT, 3).set([width, height, channels]);
      new Uint8Array(pixels, at * UNIT + HEADER, size).set(data.subarray(0, size));
      Atomics.store(table, index, at + 1);
    },
  };
}
