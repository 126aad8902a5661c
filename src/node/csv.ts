/** A line of CSV (RFC 4180): cells with a comma, a quote or a line break are quoted, quotes in them doubled. */
export const csvLine = (cells: readonly (string | number)[]): string => `${cells.map(quoted).join(",")}\n`;

const quoted = (cell: string | number): string =>
  /[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell);
