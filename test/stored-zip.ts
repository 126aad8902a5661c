const u16 = (v: number) => [v & 255, (v >> 8) & 255];
const u32 = (v: number) => [...u16(v), ...u16(v >>> 16)];

/** A zip file of stored entries, for tests: no check sums, which readers here do not look at. */
export function storedZip(entries: Readonly<Record<string, Uint8Array>>, method = 0, size?: number): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, data] of Object.entries(entries)) {
    const bytes = Buffer.from(name);
    const sizes = [
      ...u32(0),
      ...u32(data.byteLength),
      ...u32(size ?? data.byteLength),
      ...u16(bytes.byteLength),
      ...u16(0),
    ];
    const common = [...u16(20), ...u16(0x800), ...u16(method), ...u32(0), ...sizes];
    const local = Buffer.concat([Uint8Array.from([...u32(0x04034b50), ...common]), bytes, data]);
    const rest = [...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(at)];
    directory.push(Buffer.concat([Uint8Array.from([...u32(0x02014b50), ...u16(20), ...common, ...rest]), bytes]));
    parts.push(local);
    at += local.byteLength;
  }
  const central = Buffer.concat(directory);
  const count = u16(directory.length);
  const end = [...u32(0x06054b50), ...u32(0), ...count, ...count, ...u32(central.byteLength), ...u32(at), ...u16(0)];
  return new Uint8Array(Buffer.concat([...parts, central, Uint8Array.from(end)]));
}
