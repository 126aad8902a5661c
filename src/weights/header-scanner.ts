/** Says what is wrong; never returns. */
export type Fail = (what: string) => never;

const quoteMark = 0x22;
const backslash = 0x5c;
const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text from a file made fit for one line of an error message: escaped, quoted, at most ~80 characters. */
export function quoted(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return JSON.stringify(short).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * The strict subset of JSON that safetensors headers are made of: objects, strings, non-negative integers, flat lists.
 * Reads bytes in one pass and keeps nothing, so repeated keys are seen and a bad file fails at its first bad byte.
 */
export class HeaderScanner {
  private at: number;
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private readonly report: Fail;

  constructor(bytes: Uint8Array, start: number, end: number, report: Fail) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.report = report;
  }

  fail(what: string): never {
    return this.report(`${what} (byte ${this.at})`);
  }

  private peek(): number {
    while (this.at < this.end) {
      const byte = this.bytes[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
    return -1;
  }

  private skip(char: string): boolean {
    if (this.peek() !== char.charCodeAt(0)) return false;
    this.at++;
    return true;
  }

  private expect(char: string): void {
    if (!this.skip(char)) this.fail(`the header is not the JSON of a safetensors file: expected ${char}`);
  }

  private items(open: string, close: string, item: () => void): void {
    this.expect(open);
    if (this.skip(close)) return;
    do item();
    while (this.skip(","));
    this.expect(close);
  }

  /** {"key": …, …}: `value` reads what follows each colon. */
  object(value: (key: string) => void): void {
    this.items("{", "}", () => {
      const key = this.string();
      this.expect(":");
      value(key);
    });
  }

  /** A list of at most `most` non-negative integers. */
  integers(most: number): number[] {
    const list: number[] = [];
    this.items("[", "]", () => {
      if (list.length === most) this.fail(`a list of more than ${most} numbers`);
      list.push(this.integer());
    });
    return list;
  }

  private integer(): number {
    this.peek();
    const start = this.at;
    let value = 0;
    while (this.at < this.end && isDigit(this.bytes[this.at])) {
      value = value * 10 + this.bytes[this.at++] - 0x30;
      if (value > Number.MAX_SAFE_INTEGER) this.fail("a number above 2^53");
    }
    const length = this.at - start;
    const next = this.bytes[this.at];
    const fraction = next === 0x2e || next === 0x65 || next === 0x45; // . e E
    if (length === 0 || fraction || (length > 1 && this.bytes[start] === 0x30))
      this.fail("expected a non-negative integer");
    return value;
  }

  string(): string {
    this.expect('"');
    const { bytes, end } = this;
    const start = this.at;
    let at = start;
    let escaped = false;
    let control = false;
    for (; at < end && bytes[at] !== quoteMark && !control; at++) {
      control = bytes[at] < 0x20;
      if (bytes[at] === backslash) {
        escaped = true;
        at++;
      }
    }
    this.at = at + 1;
    if (control) this.fail("a control character in a string");
    if (at >= end) this.fail("a string without an end");
    return this.decode(start, at, escaped);
  }

  private decode(start: number, stop: number, escaped: boolean): string {
    let text = "";
    // Field names and dtypes: TextDecoder costs more than it does.
    if (!escaped && stop - start <= 12) {
      let i = start;
      while (i < stop && this.bytes[i] < 0x80) text += String.fromCharCode(this.bytes[i++]);
      if (i === stop) return text;
    }
    try {
      text = utf8.decode(this.bytes.subarray(start, stop));
      if (escaped) text = JSON.parse(`"${text}"`) as string;
    } catch {
      return this.fail("a string that is not valid UTF-8 or JSON");
    }
    if (escaped && /\p{Surrogate}/u.test(text)) this.fail("a string with half a surrogate pair");
    return text;
  }

  /** Only padding may follow. */
  finish(): void {
    if (this.peek() !== -1) this.fail("text after the end of the header's JSON");
  }
}
