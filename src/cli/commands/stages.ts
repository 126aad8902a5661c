import type { StageRow } from "../../models/stage-table.ts";
import { short } from "../output.ts";

/** [96, 56, 56] -> "96 x 56 x 56", [197, 768] -> "197 tokens x 768". */
const shape = (output: readonly number[]): string =>
  output.length === 2 ? `${output[0]} tokens x ${output[1]}` : output.join(" x ");

/** Header and cells of a stage table; columns that no stage fills are left out. */
export function stageCells(rows: readonly StageRow[]): { header: string[]; cells: (string | number)[][] } {
  const notes = [...new Set(rows.flatMap((row) => Object.keys(row.notes)))];
  const columns: [string, (row: StageRow) => string | number | undefined][] = [
    ["stage", (row) => row.stage],
    ["output", (row) => shape(row.output)],
    ["stride", (row) => row.stride],
    ["channels", (row) => (row.output.length > 1 ? row.channels : undefined)],
    ["kernel", (row) => row.kernel?.join(", ")],
    ["depth", (row) => row.depth],
    ["heads", (row) => row.heads],
    ...notes.map((key): [string, (row: StageRow) => string | number | undefined] => [key, (row) => row.notes[key]]),
    ["parameters", (row) => short(row.parameters)],
    ["GMACs", (row) => row.gmacs.toFixed(3)],
  ];
  const filled = columns.filter(([, value]) => rows.some((row) => value(row) !== undefined));
  return {
    header: filled.map(([name]) => name),
    cells: rows.map((row) => filled.map(([, value]) => value(row) ?? "")),
  };
}

/** A stage as JSON: what it lacks is left out, the family's notes stand beside the rest. */
export const stageJson = ({ notes, parameters, gmacs, ...row }: StageRow) => ({ ...row, ...notes, parameters, gmacs });
