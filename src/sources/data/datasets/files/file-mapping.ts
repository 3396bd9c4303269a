import { choice } from '../../../../kernel/record.js';
import type { TextEncoding } from './decode.js';
import type { DataFormat } from './formats.js';

/** What offsets in a file count. */
export const OffsetUnit = choice('OffsetUnit', 'What offsets in a file count.', {
  CODE_POINTS: 'Code points, as Python and hence most public sets do.',
  UTF16: 'UTF-16 code units, as JavaScript and this API do.',
});
export type OffsetUnit = keyof typeof OffsetUnit;

/** How a file is read and what its columns mean. Everything that has a default is filled in when it is recorded. */
export interface MappingOnto<Field extends string = string> {
  format: DataFormat;
  encoding: TextEncoding;
  delimiter: string | null;
  quotes: boolean;
  /** Whether the first record names the columns; without it they are `column1`, `column2`, … */
  header: boolean;
  /** Column of each field; for a nested JSON value the path with dots. */
  columns: Partial<Record<Field, string>>;
  /** Fields that have the same value in every row. */
  constants: Partial<Record<Field, string>>;
  /** What the values of the SPLIT column stand for, e.g. `{"0": "train"}`. */
  splitValues: Record<string, string>;
  /** Names for coded labels, e.g. `{"0": "negative"}`. */
  labelValues: Record<string, string>;
  /** Whether offsets count code points (Python's way, hence that of most public sets) or UTF-16 units (JavaScript's). */
  offsets: OffsetUnit;
}
