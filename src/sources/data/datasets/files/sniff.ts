import { open } from 'node:fs/promises';
import { decode } from '../../../../kernel/decode.js';
import { GraftError } from '../../../../kernel/errors.js';
import { encodingOfMark, type TextEncoding } from './decode.js';
import { readDelimited, type DelimitedRecord } from './delimited.js';
import type { FileShape } from './file-shape.js';
import { DataFormat } from './formats.js';
import { sampleSquad, SQUAD_COLUMNS } from './read-json.js';
import { parseObject, positionalName, valueAt } from './read-text.js';
import type { DataFile } from './records.js';

const SAMPLE_BYTES = 256 * 1024;
const SAMPLE_ROWS = 200;

const ARCHIVES: readonly [magic: string, kind: string][] = [
  ['504b0304', 'a ZIP archive (or an Office document)'],
  ['504b0506', 'a ZIP archive'],
  ['1f8b', 'compressed with gzip'],
  ['425a68', 'compressed with bzip2'],
  ['fd377a585a00', 'compressed with xz'],
  ['28b52ffd', 'compressed with Zstandard'],
  ['377abcaf271c', 'a 7z archive'],
  ['25504446', 'a PDF document'],
  ['d0cf11e0a1b11ae1', 'an old Office document'],
];

/** What the user says about a file before it is looked at. */
export interface ShapeHints {
  format?: DataFormat | null;
  encoding?: TextEncoding | null;
  delimiter?: string | null;
  quotes?: boolean | null;
  header?: boolean | null;
}

/**
 * Looks at the first 256 KiB of a file. Archives are refused unopened, so that none can unfold into something huge.
 * @throws UNSUPPORTED_MEDIA_TYPE, DATA_FILE_INVALID when it holds nothing or isn't what it says it is, PAYLOAD_TOO_LARGE
 */
export async function sniffFile(file: DataFile, folder: string, hints: ShapeHints = {}): Promise<FileShape> {
  const start = await readStart(file);
  const archive = ARCHIVES.find(([magic]) => start.subarray(0, magic.length / 2).toString('hex') === magic);
  if (archive)
    throw new GraftError('UNSUPPORTED_MEDIA_TYPE', `${file.name} is ${archive[1]}.`, {
      hint: 'Unpack it and upload the CSV, TSV, JSONL, JSON or Parquet file itself; archives are never opened here.',
    });
  if (start.subarray(0, 4).toString('latin1') === 'PAR1') {
    const { sampleParquet } = await import('./read-parquet.js');
    const { columns, rows } = await sampleParquet(file, folder, SAMPLE_ROWS);
    return {
      format: DataFormat.PARQUET,
      encoding: 'utf-8',
      delimiter: null,
      quotes: false,
      header: true,
      columns,
      sample: rows,
    };
  }
  const encoding = hints.encoding ?? encodingOfMark(start) ?? 'utf-8';
  // Wrong bytes are reported, with their line, when the file is read.
  const text = decode(start, encoding);
  if (text.trim() === '') throw new GraftError('DATA_FILE_INVALID', `${file.name} is empty.`);
  const format = hints.format ?? guessFormat(text, file.name);
  const shape = { format, encoding, delimiter: null, quotes: false, header: false };
  if (format === DataFormat.SQUAD)
    return { ...shape, columns: [...SQUAD_COLUMNS], sample: await sampleSquad(file, encoding, SAMPLE_ROWS) };
  if (format === DataFormat.JSONL || format === DataFormat.JSON) return { ...shape, ...sampleObjects(text, format) };
  const whole = start.length >= file.bytes;
  if (format === DataFormat.LINES)
    return { ...shape, columns: [positionalName(0)], sample: records(text, null, false, whole).map((r) => r.cells) };
  return { ...shape, ...sniffDelimited(text, whole, hints) };
}

async function readStart(file: DataFile): Promise<Buffer> {
  const handle = await open(file.path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(SAMPLE_BYTES, file.bytes));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function guessFormat(text: string, name: string): DataFormat {
  const trimmed = text.trimStart();
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    const end = trimmed.indexOf('\n');
    const first = parseObject(end < 0 ? trimmed : trimmed.slice(0, end));
    if (/\.(jsonl|ndjson)$/i.test(name) || (first && !Array.isArray(first['data']))) return DataFormat.JSONL;
    if (trimmed.startsWith('[')) return DataFormat.JSON;
    return /"paragraphs"\s*:/.test(trimmed) ? DataFormat.SQUAD : DataFormat.JSONL;
  }
  return /\.txt$/i.test(name) && !text.includes('\t') ? DataFormat.LINES : DataFormat.DELIMITED;
}

/** Columns and values of JSON objects; the objects of an array are cut out of the sample one by one. */
function sampleObjects(text: string, format: DataFormat): Pick<FileShape, 'columns' | 'sample'> {
  const pieces = format === DataFormat.JSONL ? text.split('\n') : cutObjects(text);
  const objects = pieces
    .slice(0, SAMPLE_ROWS)
    .map(parseObject)
    .filter((object) => object !== null);
  const columns = new Set<string>();
  for (const object of objects)
    for (const [key, value] of Object.entries(object)) {
      columns.add(key);
      if (value !== null && typeof value === 'object' && !Array.isArray(value))
        for (const inner of Object.keys(value)) columns.add(`${key}.${inner}`);
    }
  const names = [...columns];
  return { columns: names, sample: objects.map((object) => names.map((name) => valueAt(object, name))) };
}

/** The texts of the top-level objects of a JSON array, as far as the sample has them whole. */
function cutObjects(text: string): string[] {
  const objects: string[] = [];
  let depth = 0;
  let start = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\[\s\S])*"|[{}]/g)) {
    if (match[0] === '{' && depth++ === 0) start = match.index;
    else if (match[0] === '}' && --depth === 0) objects.push(text.slice(start, match.index + 1));
    if (objects.length === SAMPLE_ROWS) break;
  }
  return objects;
}

/** Records of the sample; the last one is dropped unless the sample is the whole file, since it may be cut. */
function records(text: string, delimiter: string | null, quotes: boolean, whole: boolean): DelimitedRecord[] {
  const rows = readDelimited(text, { delimiter, quotes });
  return (whole || rows.length < 2 ? rows : rows.slice(0, -1)).slice(0, SAMPLE_ROWS + 1);
}

function sniffDelimited(text: string, whole: boolean, hints: ShapeHints): Omit<FileShape, 'format' | 'encoding'> {
  let best = { score: -1, delimiter: ',', quotes: true, rows: [] as DelimitedRecord[] };
  for (const delimiter of hints.delimiter ? [hints.delimiter] : ['\t', ',', ';', '|']) {
    const quoted = records(text, delimiter, true, whole);
    const plain = records(text, delimiter, false, whole);
    const quotes = hints.quotes ?? !swallows(quoted, plain);
    const rows = quotes ? quoted : plain;
    const score = regularity(rows);
    if (score > best.score) best = { score, delimiter, quotes, rows };
  }
  const width = best.rows[0]?.cells.length ?? 0;
  const header = hints.header ?? looksLikeHeader(best.rows.map((r) => r.cells));
  const first = best.rows[0]?.cells ?? [];
  return {
    delimiter: best.delimiter,
    quotes: best.quotes,
    header,
    columns: header ? first : first.map((_, i) => positionalName(i)),
    sample: best.rows
      .slice(header ? 1 : 0)
      .filter((r) => r.cells.length === width)
      .map((r) => r.cells),
  };
}

/**
 * Whether quotation marks are just characters here: taken as quotes they are closed in the wrong places, or swallow most
 * of the lines, while the lines are regular without them.
 */
const swallows = (quoted: readonly DelimitedRecord[], plain: readonly DelimitedRecord[]): boolean =>
  regularity(plain) > 0.98 &&
  quoted.length < 0.95 * plain.length &&
  (quoted.some((record) => record.fault) || quoted.length < 0.5 * plain.length);

/** Share of records with the commonest number of cells, if that is more than one; faults count against it. */
function regularity(rows: readonly DelimitedRecord[]): number {
  const widths = new Map<number, number>();
  for (const { cells, fault } of rows) if (!fault) widths.set(cells.length, (widths.get(cells.length) ?? 0) + 1);
  let best = 0;
  for (const [width, count] of widths) if (width > 1) best = Math.max(best, count / rows.length);
  return best;
}

const KNOWN_NAMES =
  /^(?:id|text|label|sentence|category|intent|split|source|target|question|answer|context|input|output|message|messages|tokens|tags|entities|prompt|completion|response|instruction|entity|customer|user|event_time|created_time|title)$/i;

/** Whether the first record names the columns: short, distinct, no numbers, and either well-known or unlike what is below it. */
function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...rest] = rows;
  if (
    !first ||
    first.some((cell) => cell.trim() === '' || cell.length > 64 || /^[-+]?\d+(?:[.,]\d+)?$/.test(cell.trim()))
  )
    return false;
  if (first.some((cell) => KNOWN_NAMES.test(cell.trim()))) return true;
  if (rest.length === 0 || !first.every((cell) => /^[\p{L}_][\p{L}\p{N}_ .:/()-]*$/u.test(cell.trim()))) return false;
  return first.some((name, column) => {
    const cells = rest.map((row) => row[column] ?? '');
    const numeric = cells.filter((cell) => /^[-+]?\d+(?:[.,]\d+)?$/.test(cell.trim())).length;
    const meanLength = cells.reduce((sum, cell) => sum + cell.length, 0) / cells.length;
    return !cells.includes(name) && (numeric > cells.length * 0.9 || meanLength > 2.5 * name.length);
  });
}
