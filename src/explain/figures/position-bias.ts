import type { TensorData } from "../../graph/types.ts";
import { toFloat32 } from "../../weights/host-tensor.ts";
import { balance, mosaic, paint, SIGNED } from "../color.ts";
import { type Figure, lacks } from "../figure.ts";

/** Tables of relative position bias by head: the cell (dy, dx) is what a query adds for a key that far away. */
export const positionBias: Figure = {
  title: "Relative position bias",
  source: "Liu et al. 2021, Swin Transformer, equation 4",
  images: false,
  async draw({ model, weights }) {
    const slots = model.slots.filter((s) => s.window);
    if (slots.length === 0) throw lacks(model, "no table of relative positions");
    const tables = slots.map(({ name, shape, window }) => {
      const [rows, columns] = (window as readonly [number, number]).map((s) => 2 * s - 1);
      const values = toFloat32(weights.get(name) as TensorData);
      const first = shape.length === 3;
      const heads = first ? shape[0] : shape[1];
      const cells = rows * columns;
      const maps = Array.from({ length: heads }, (_, h) =>
        Float32Array.from({ length: cells }, (_, i) => values[first ? h * cells + i : i * heads + h]),
      );
      return { name, size: [rows, columns] as const, maps };
    });
    return {
      kind: "panels",
      title: this.title,
      caption:
        "What each head adds to a score by the offset of key and query, which lies in the middle: red above 0, blue below.",
      columns: 4,
      panels: tables.map(({ name, size, maps }) => ({
        title: name.replace(/\.relative_position_bias_table$/, ""),
        image: mosaic(
          maps.map((m) => paint(balance(m), size, SIGNED)),
          Math.ceil(Math.sqrt(maps.length)),
        ),
        sharp: true,
      })),
      width: 180,
      data: tables.map(({ name, size, maps }) => ({ tensor: name, size, heads: maps.map((m) => [...m]) })),
    };
  },
};
