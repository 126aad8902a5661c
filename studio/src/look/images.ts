import { useEffect, useState } from "preact/hooks";
import { drawSynth, synthClasses } from "../../../src/data/synth.ts";

/** An image that the user has given. */
export interface GivenImage {
  readonly id: string;
  readonly name: string;
  readonly blob: Blob;
  /** Address of the blob. */
  readonly url: string;
}

let given: readonly GivenImage[] = [];
let count = 0;
const listeners = new Set<() => void>();

function change(images: readonly GivenImage[]): void {
  given = images;
  for (const listener of listeners) listener();
}

/** Adds images; returns the first. What says that it is no image is left out. */
export function addImages(files: readonly File[]): GivenImage | undefined {
  const added = files
    .filter((f) => f.type === "" || f.type.startsWith("image/"))
    .map((blob) => ({ id: String(++count), name: blob.name, blob, url: URL.createObjectURL(blob) }));
  if (added.length > 0) change([...given, ...added]);
  return added[0];
}

export function removeImage(id: string): void {
  const image = given.find((i) => i.id === id);
  if (!image) return;
  URL.revokeObjectURL(image.url);
  change(given.filter((i) => i !== image));
}

/** The images of this page; they stay while it is open and go nowhere but to the model. */
export function useImages(): readonly GivenImage[] {
  const [images, setImages] = useState(given);
  useEffect(() => {
    const listener = () => setImages(given);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return images;
}

const DRAWN_SIDE = 64;

/** Some drawn shapes as files, for those who have no image at hand. */
export async function drawnImages(seed: number): Promise<File[]> {
  return Promise.all(
    synthClasses.map(async (name, i) => {
      const rgb = drawSynth(seed, name, i, DRAWN_SIDE);
      const canvas = new OffscreenCanvas(DRAWN_SIDE, DRAWN_SIDE);
      const pixels = new ImageData(DRAWN_SIDE, DRAWN_SIDE);
      for (let p = 0; p < DRAWN_SIDE * DRAWN_SIDE; p++)
        pixels.data.set([rgb[3 * p], rgb[3 * p + 1], rgb[3 * p + 2], 255], 4 * p);
      canvas.getContext("2d")?.putImageData(pixels, 0, 0);
      return new File([await canvas.convertToBlob()], `${name}.png`, { type: "image/png" });
    }),
  );
}
