import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import {
  BIGINT,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  INTEGER,
  JsonDuckDBValueConverter,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBValueConverter,
  type Json,
} from '@duckdb/node-api';
import { GraftError } from '../../../../kernel/errors.js';

/** Rows of a data chunk in DuckDB. */
export const CHUNK_ROWS = 2048;

const MEMORY = '320MB';

interface TableEngineOptions {
  /** Folder for what doesn't fit into memory; made when missing. Nothing else may be written but what lies below it. */
  folder: string;
  /** Files and folders that SQL may read; all others are refused, and so are networks and extensions. */
  readable?: readonly string[];
  /** Database file inside `folder`, for tables larger than memory; without it tables live in memory and spill. */
  file?: string;
}

/** The column types that our tables use. */
const TYPES = { VARCHAR, BIGINT, INTEGER, DOUBLE } as const;
export type ColumnType = keyof typeof TYPES;

/**
 * One DuckDB instance, locked down before it sees a user's file: it reads only the paths it was given, writes only below
 * its own folder, loads no extension, and its settings can't be changed any more, not even by SQL in it.
 */
export class TableEngine {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
  ) {}

  static async open({ folder, readable = [], file }: TableEngineOptions): Promise<TableEngine> {
    await mkdir(folder, { recursive: true });
    const instance = await DuckDBInstance.create(file ?? ':memory:', {
      memory_limit: MEMORY,
      threads: String(Math.min(4, availableParallelism())),
      temp_directory: `${folder}/spill`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      preserve_insertion_order: 'true',
    });
    const connection = await instance.connect();
    const list = (paths: readonly string[]) => `[${paths.map(quote).join(', ')}]`;
    const folders = [folder, ...readable.filter((path) => path.endsWith('/'))];
    await connection.run(`SET allowed_directories = ${list(folders)}`);
    await connection.run(`SET allowed_paths = ${list(readable.filter((path) => !path.endsWith('/')))}`);
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
    return new TableEngine(instance, connection);
  }

  async run(sql: string, values: DuckDBValue[] = []): Promise<void> {
    await this.connection.run(sql, values);
  }

  /** All rows of a result; integers of 64 bits come as numbers. For results known to be small. */
  async rows<T>(sql: string, values: DuckDBValue[] = []): Promise<T[]> {
    // A connection of its own, so that reads don't wait for one another.
    const connection = await this.instance.connect();
    try {
      const result = await connection.run(sql, values);
      return (await result.getRowObjectsJS()).map(numbers) as T[];
    } finally {
      connection.closeSync();
    }
  }

  /** Rows in batches of at most a chunk, read as they are needed: the result never lies in memory whole. */
  async *stream<T>(sql: string, values: DuckDBValue[] = []): AsyncGenerator<T[]> {
    const connection = await this.instance.connect();
    try {
      const result = await connection.stream(sql, values);
      for await (const batch of result.yieldRowObjectJs()) yield batch.map(numbers) as T[];
    } finally {
      connection.closeSync();
    }
  }

  /**
   * Like `stream`, with values as JSON has them (dates as text, structs as objects, whole numbers beyond 2^53 as text): for
   * files of unknown schema.
   */
  async *streamJson(sql: string, values: DuckDBValue[] = []): AsyncGenerator<unknown[][]> {
    const connection = await this.instance.connect();
    try {
      const result = await connection.stream(sql, values);
      for await (const batch of result.yieldConvertedRows(asJson)) yield batch;
    } finally {
      connection.closeSync();
    }
  }

  /** Makes a table and returns the way to fill it. */
  async createTable(name: string, columns: Readonly<Record<string, ColumnType>>): Promise<TableWriter> {
    const definition = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
    await this.run(`CREATE TABLE ${name} (${definition.join(', ')})`);
    const appender = await this.connection.createAppender(name);
    return new TableWriter(
      Object.values(columns).map((type) => TYPES[type]),
      (chunk) => appender.appendDataChunk(chunk),
      () => appender.closeSync(),
    );
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** Collects rows and appends them a chunk at a time. Rows are visible to queries after `close`. */
export class TableWriter {
  #rows: DuckDBValue[][] = [];

  constructor(
    private readonly types: readonly DuckDBType[],
    private readonly append: (chunk: DuckDBDataChunk) => void,
    private readonly finish: () => void,
  ) {}

  add(row: (string | number | null)[]): void {
    this.#rows.push(
      row.map((value, i) => (this.types[i] === BIGINT && typeof value === 'number' ? BigInt(value) : value)),
    );
    if (this.#rows.length === CHUNK_ROWS) this.#flush();
  }

  close(): void {
    this.#flush();
    this.finish();
  }

  #flush(): void {
    if (this.#rows.length === 0) return;
    const chunk = DuckDBDataChunk.create(this.types, this.#rows.length);
    chunk.setRows(this.#rows);
    this.append(chunk);
    this.#rows = [];
  }
}

/** A string literal. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A quoted identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** DuckDB's own way to JSON writes every integer of 64 bits as text, though offsets, times and answers are counted in them. */
const asJson: DuckDBValueConverter<Json> = (value, type, converter) => {
  const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : JsonDuckDBValueConverter(value, type, converter);
};

function numbers(row: Record<string, unknown>): Record<string, unknown> {
  for (const key in row) if (typeof row[key] === 'bigint') row[key] = Number(row[key]);
  return row;
}

/** DuckDB says "Invalid Input Error: …"; that is kept for the user only where it speaks of the user's file. */
export function fileUnreadable(error: unknown, name: string, kind: string): GraftError {
  const reason = (error as Error).message.split('\n')[0]!.replace(/'[^']*\/[^']*'|"[^"]*\/[^"]*"/g, 'the file');
  return new GraftError('DATA_FILE_INVALID', `${name} can’t be read as ${kind}: ${reason}`, { cause: error });
}
