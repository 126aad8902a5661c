import { useEffect, useMemo, useRef } from "preact/hooks";
import type { RgbImage } from "../../../src/data/image.ts";
import type { Size } from "../../../src/nn/size.ts";
import { cellAt, neighbour, type Point } from "./attention.ts";
import { imageCanvas, type Overlay, paintPicture } from "./paint.ts";

interface PictureProps {
  readonly seen: RgbImage;
  readonly overlay?: Overlay;
  /** The grid of patches that can be asked; none: nothing can be. */
  readonly grid?: Size;
  /** The place that is asked: under the pointer, else the one that was chosen. */
  readonly at?: Point;
  readonly chosen?: Point;
  readonly label: string;
  /** The pointer is at a place, or has left. */
  readonly onPoint: (at: Point | undefined) => void;
  /** A place was chosen by press or key; undefined by Escape. */
  readonly onChoose: (at: Point | undefined) => void;
}

/** Pixels of the drawing's longer side. */
const SIDE = 640;

const KEYS: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function pointOf({ currentTarget, clientX, clientY }: MouseEvent): Point {
  const { left, top, width, height } = (currentTarget as Element).getBoundingClientRect();
  const part = (v: number) => Math.min(0.9999, Math.max(0, v));
  return { x: part((clientX - left) / width), y: part((clientY - top) / height) };
}

/** The image as the model sees it, with what lies over it: the patch under the pointer is asked; arrow keys go from patch to patch. */
export function Picture({ seen, overlay, grid, at, chosen, label, onPoint, onChoose }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = useMemo(() => imageCanvas(seen), [seen]);
  const scale = SIDE / Math.max(seen.width, seen.height);
  useEffect(() => {
    const target = canvas.current as HTMLCanvasElement;
    paintPicture(target, image, overlay, grid && at && { grid, at });
  }, [image, overlay, grid, at]);
  const key = (event: KeyboardEvent) => {
    if (!grid) return;
    if (event.key === "Escape") return onChoose(undefined);
    const step = KEYS[event.key];
    if (!step) return;
    event.preventDefault();
    onChoose(at ? neighbour(grid, at, ...step) : neighbour(grid, { x: 0.5, y: 0.5 }, 0, 0));
  };
  // A second press on a patch lets go of it.
  const press = (to: Point) => {
    const same = grid && chosen && cellAt(grid, chosen) === cellAt(grid, to);
    onChoose(same ? undefined : to);
  };
  const still = { ref: canvas, width: Math.round(seen.width * scale), height: Math.round(seen.height * scale) };
  if (!grid) return <canvas {...still} class="picture" role="img" aria-label={label} />;
  return (
    <div
      class="asked"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys: arrows choose a patch
      tabIndex={0}
      role="application"
      aria-roledescription="patch chooser"
      aria-label={`${label}. Arrow keys choose a patch, Escape lets go of it.`}
      onPointerMove={(event) => onPoint(pointOf(event))}
      onPointerLeave={() => onPoint(undefined)}
      onClick={(event) => press(pointOf(event))}
      onKeyDown={key}
    >
      <canvas {...still} class="picture" />
    </div>
  );
}
