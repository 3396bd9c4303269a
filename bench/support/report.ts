import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `2 x AMD EPYC 9B14, 7.8 GiB, linux x64, Node 20.20.2` */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const gib = (totalmem() / 1024 ** 3).toFixed(1);
  return `${cpus().length} x ${model}, ${gib} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** Instructions that decide how fast matrix products are, as Linux names them; empty elsewhere. */
export function processorFlags(): string {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(/\s+/) ?? [];
    return flags.filter((flag) => /^(avx|avx2|avx512f|avx512_(vnni|bf16)|amx_\w+|fma|f16c)$/.test(flag)).join(' ');
  } catch {
    return '';
  }
}

type Cell = string | number;

/** Where a row comes from: rows of one table need not be of one run. */
export interface Measured {
  at: string;
  machine: string;
  flags: string;
  /** Of the code that was measured; empty outside of a checkout. */
  commit: string;
}

type StoredRow = Record<string, Cell | Measured>;

export interface BenchResult {
  machine: string;
  /** One table, printed as Markdown; every row has the same columns. */
  rows: Record<string, Cell>[];
  [detail: string]: unknown;
}

const fileOf = (name: string): string => `bench/results/${name}.json`;

/**
 * Prints the table and the details, and writes all of it to `bench/results/<name>.json`. A row takes the place of the one that has the same
 * cells in the columns of `key` and says when, where and of which commit it was measured; rows that this run did not measure stay.
 * @param key the columns that name a row; by default the first
 */
export function printResult(name: string, result: BenchResult, key?: readonly string[]): void {
  const columns = Object.keys(result.rows[0] ?? {});
  const line = (cells: Cell[]) => `| ${cells.join(' | ')} |`;
  console.log(`\n${result.machine}\n`);
  console.log(line(columns));
  console.log(line(columns.map(() => '---')));
  for (const row of result.rows) console.log(line(columns.map((column) => row[column] ?? '')));
  const { machine, rows, ...details } = result;
  console.log(`\n${JSON.stringify(details)}\n`);
  const measured: Measured = { at: new Date().toISOString(), machine, flags: processorFlags(), commit: commitOf() };
  const fresh = rows.map((row) => ({ ...row, measured }));
  mkdirSync('bench/results', { recursive: true });
  const stored = { ...details, rows: merged(storedRows(name), fresh, key ?? columns.slice(0, 1)) };
  writeFileSync(fileOf(name), `${JSON.stringify(stored, null, 2)}\n`);
}

/** The new rows in the places of those they replace, then those that are new. */
export function merged(old: readonly StoredRow[], fresh: readonly StoredRow[], key: readonly string[]): StoredRow[] {
  const named = (row: StoredRow) => JSON.stringify(key.map((column) => row[column] ?? null));
  const byName = new Map(fresh.map((row) => [named(row), row]));
  const kept = old.map((row) => byName.get(named(row)) ?? row);
  const known = new Set(old.map(named));
  return [...kept, ...fresh.filter((row) => !known.has(named(row)))];
}

const storedRows = (name: string): StoredRow[] => storedDetail<StoredRow[]>(name, 'rows') ?? [];

/** What a run before wrote beside its rows, for a run that adds to it; undefined where none did. */
export function storedDetail<T>(name: string, detail: string): T | undefined {
  try {
    return (JSON.parse(readFileSync(fileOf(name), 'utf8')) as Record<string, T>)[detail];
  } catch {
    return undefined;
  }
}

function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
