import { useEffect, useRef } from "preact/hooks";
import type { Size } from "../../../src/nn/size.ts";
import type { Looking } from "./attention.ts";
import { fill, mapCanvas } from "./paint.ts";

interface HeadsProps {
  readonly looking: Looking;
  /** undefined: the mean. */
  readonly head: number | undefined;
  readonly onHead: (head: number | undefined) => void;
}

/** A small map of every head, and of their mean; pressing one shows it over the image. */
export const Heads = ({ looking: { heads, mean, grid }, head, onHead }: HeadsProps) => (
  <fieldset class="heads">
    <legend class="for-readers">Heads</legend>
    {[mean, ...heads].map((map, i) => {
      const own = i === 0 ? undefined : i - 1;
      return (
        <button key={i} type="button" aria-pressed={head === own} onClick={() => onHead(own)}>
          <HeadMap values={map} grid={grid} />
          {i === 0 ? "mean" : i}
          <span class="for-readers">{i === 0 ? " of all heads" : ". head"}</span>
        </button>
      );
    })}
  </fieldset>
);

const SIDE = 64;

function HeadMap({ values, grid }: { values: Float32Array; grid: Size }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    fill(canvas.current as HTMLCanvasElement, mapCanvas(values, grid), false);
  }, [values, grid]);
  return <canvas ref={canvas} width={SIDE} height={SIDE} />;
}
