import type { ColumnMetaData } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

/**
 * Walks the page headers of a column chunk and throws a RangeError for one that lies: the library follows sizes as they stand,
 * and one that is negative leads it round in a circle for ever.
 */
export function checkPages(bytes: ArrayBuffer, { num_values }: ColumnMetaData, mostBytes: number): void {
  const reader = { view: new DataView(bytes), offset: 0 };
  const [end, most] = [bytes.byteLength, Number(num_values)];
  const within = (value: number | undefined, limit: number, what: string): number => {
    if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= limit) return value as number;
    throw new RangeError(`a page of ${value} ${what}`);
  };
  let values = 0;
  while (reader.offset < end - 1) {
    const header = parquetHeader(reader);
    const packed = within(header.compressed_page_size, end - reader.offset, "packed bytes");
    within(header.uncompressed_page_size, mostBytes, "bytes");
    const page = header.data_page_header ?? header.data_page_header_v2;
    if (page) values += within(page.num_values, most - values, "values");
    if (header.dictionary_page_header) within(header.dictionary_page_header.num_values, mostBytes, "values");
    const levels = header.data_page_header_v2;
    if (levels) {
      const definitions = within(levels.definition_levels_byte_length, packed, "bytes of levels");
      within(levels.repetition_levels_byte_length, packed - definitions, "bytes of levels");
      within(levels.num_rows, most, "rows");
      within(levels.num_nulls, most, "empty values");
    }
    reader.offset += packed;
  }
}
