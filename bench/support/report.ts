import { mkdirSync, writeFileSync } from 'node:fs';
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

type Cell = string | number;

export interface BenchResult {
  machine: string;
  /** One table, printed as Markdown; every row has the same columns. */
  rows: Record<string, Cell>[];
  [detail: string]: unknown;
}

/** Prints the table and the details, and writes all of it to `bench/results/<name>.json`. */
export function printResult(name: string, result: BenchResult): void {
  const columns = Object.keys(result.rows[0] ?? {});
  const line = (cells: Cell[]) => `| ${cells.join(' | ')} |`;
  console.log(`\n${result.machine}\n`);
  console.log(line(columns));
  console.log(line(columns.map(() => '---')));
  for (const row of result.rows) console.log(line(columns.map((column) => row[column] ?? '')));
  const { machine: _machine, rows: _rows, ...details } = result;
  console.log(`\n${JSON.stringify(details)}\n`);
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(
    `bench/results/${name}.json`,
    `${JSON.stringify({ measuredAt: new Date().toISOString(), ...result }, null, 2)}\n`,
  );
}
