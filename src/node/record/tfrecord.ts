/** CRC-32C (Castagnoli), polynomial 0x1EDC6F41 reflected: RFC 3720, appendix B.4. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/** A checksum of bytes that may hold checksums: rotated right by 15 bits, plus a constant (TFRecord). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** uint64 length, uint32 checksum of the length; then the data and a uint32 checksum of them. */
const HEADER = 12;
const FOOTER = 4;

/** A TFRecord: the data in their frame, little-endian. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER + data.byteLength + FOOTER);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.byteLength), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, HEADER);
  view.setUint32(HEADER + data.byteLength, maskedCrc32c(data), true);
  return record;
}

export interface FramedRecord {
  readonly data: Uint8Array;
  /** Where the next record begins. */
  readonly end: number;
}

/** The records of a file, up to the first that is cut short or whose checksums do not fit. */
export function* decodeRecords(file: Uint8Array): Generator<FramedRecord> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at + HEADER <= file.byteLength; ) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + HEADER + length + FOOTER;
    if (view.getUint32(at + 8, true) !== maskedCrc32c(file.subarray(at, at + 8)) || end > file.byteLength) return;
    const data = file.subarray(at + HEADER, at + HEADER + length);
    if (view.getUint32(end - FOOTER, true) !== maskedCrc32c(data)) return;
    yield { data, end };
    at = end;
  }
}
