import type { TextEncoding } from './decode.js';
import type { DataFormat } from './formats.js';

/** How a file seems to be written, and its first rows. */
export interface FileShape {
  format: DataFormat;
  encoding: TextEncoding;
  delimiter: string | null;
  quotes: boolean;
  header: boolean;
  columns: string[];
  /** First data rows, one value a column. */
  sample: unknown[][];
}
