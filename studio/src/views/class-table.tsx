import { useState } from "preact/hooks";
import type { ClassRow } from "../../../src/studio/run.ts";
import { percent } from "../ui/format.ts";
import { Scroll } from "../ui/parts.tsx";

type Column = "name" | "images" | "accuracy" | "precision" | "f1";

const COLUMNS: readonly (readonly [Column, string])[] = [
  ["name", "class"],
  ["images", "images"],
  ["accuracy", "recall"],
  ["precision", "precision"],
  ["f1", "F1"],
];

interface Order {
  readonly by: Column;
  readonly down: boolean;
}

/** Rows in an order; what was not measured comes last. */
export function ordered(rows: readonly ClassRow[], { by, down }: Order): ClassRow[] {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[by], b[by]];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

/** How well each class is told; the worst first, or as its head is pressed. */
export function ClassTable({ rows }: { rows: readonly ClassRow[] }) {
  const [order, setOrder] = useState<Order>({ by: "accuracy", down: false });
  const press = (by: Column) => setOrder((o) => ({ by, down: o.by === by ? !o.down : by !== "name" }));
  return (
    <Scroll label="Quality by class">
      <table class="classes">
        <thead>
          <tr>
            {COLUMNS.map(([column, title]) => (
              <th
                key={column}
                scope="col"
                aria-sort={order.by === column ? (order.down ? "descending" : "ascending") : undefined}
              >
                <button type="button" onClick={() => press(column)}>
                  {title}
                </button>
              </th>
            ))}
            <th scope="col">most taken for</th>
          </tr>
        </thead>
        <tbody>
          {ordered(rows, order).map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              <td class="number">{row.images}</td>
              <Share value={row.accuracy} />
              <Share value={row.precision} />
              <Share value={row.f1} />
              <td>{row.mistakenFor ? `${row.mistakenFor} (${row.mistakenImages})` : "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const Share = ({ value }: { value: number | undefined }) => (
  <td class="share">
    <span class="bar" aria-hidden="true" ref={(e) => e?.style.setProperty("--share", String((value ?? 0) / 100))} />
    {percent(value, 1)}
  </td>
);
