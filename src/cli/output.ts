import pc from "picocolors";

/** Machine-readable results and the answer a command is run for. */
export const print = (line = ""): void => {
  process.stdout.write(`${line}\n`);
};

/** Everything else: progress, notes, warnings. */
export const note = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

export const warn = (line: string): void => note(`${pc.yellow("warning:")} ${line}`);

export const printJson = (value: unknown): void => print(JSON.stringify(value));

export const plural = (n: number, noun: string, many = `${noun}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? noun : many}`;

export const percent = (value: number, digits = 2): string => `${value.toFixed(digits)} %`;

/** 61,100,840 -> "61.10 M". */
export function short(n: number): string {
  if (n < 1e3) return String(n);
  const [unit, size] = n < 1e6 ? ["k", 1e3] : n < 1e9 ? ["M", 1e6] : ["G", 1e9];
  return `${(n / (size as number)).toFixed(2)} ${unit}`;
}

/** 75 -> "1:15". */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, String(s % 60).padStart(2, "0")];
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${rest}` : `${m}:${rest}`;
}

/** "a, b and 3 more". */
export const listed = (names: readonly string[], most: number): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

/** Columns padded to their widest cell; numbers go right, the last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const right = header.map((_, c) => rows.length > 0 && rows.every((row) => /^[-\d.,\s]*[kMG]?$/.test(String(row[c]))));
  const widths = header.map((h, c) => Math.max(h.length, ...rows.map((row) => String(row[c]).length)));
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, c) => {
        const text = String(cell);
        if (right[c]) return text.padStart(widths[c]);
        return c === cells.length - 1 ? text : text.padEnd(widths[c]);
      })
      .join("  ");
  return [pc.dim(line(header)), ...rows.map(line)];
}

/** A command line that a shell reads back as these words. */
export const shellWords = (words: readonly string[]): string =>
  words.map((w) => (/^[\w@%+=:,./-]+$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`)).join(" ");
