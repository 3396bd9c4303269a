import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { sniffFile } from '../../src/sources/data/datasets/files/sniff.js';
import { DEFAULT_SPLIT_RULE, type Split } from '../../src/sources/data/datasets/importing/splits.js';
import { suggestMapping } from '../../src/sources/data/datasets/importing/suggest.js';
import type { FileMapping } from '../../src/sources/data/datasets/importing/mapping.js';
import type { DataFile } from '../../src/sources/data/datasets/files/records.js';
import { makeVersion, type MadeVersion } from '../../src/sources/data/datasets/making/make-version.js';
import type { VersionRecipe } from '../../src/sources/data/datasets/making/recipe.js';
import { quote, TableEngine } from '../../src/sources/data/datasets/storage/duckdb.js';
import type { TaskKind } from '../../src/sources/data/datasets/tasks/index.js';
import type { TokenCounter } from '../../src/sources/data/datasets/validation/rule.js';
import { dataFolder } from './data-files.js';

export interface Wish {
  file: DataFile;
  split?: Split;
  mapping?: Partial<FileMapping>;
  pair?: DataFile;
}

export interface Wishes {
  task: TaskKind;
  files: Wish[];
  settings?: Partial<VersionRecipe['settings']>;
  recipe?: Partial<VersionRecipe>;
  parent?: readonly string[];
  countTokens?: TokenCounter;
  folder?: string;
  signal?: AbortSignal;
}

/** A version with the suggested mapping and the usual settings, but for what is wished otherwise. */
export async function made(wishes: Wishes): Promise<MadeVersion> {
  const folder = wishes.folder ?? (await dataFolder());
  const files = [];
  for (const { file, split, mapping, pair } of wishes.files) {
    const suggested = suggestMapping(
      await sniffFile(file, join(folder, 'sniffing'), mapping ?? {}),
      wishes.task,
    ).mapping;
    files.push({ file, split: split ?? null, pair: pair ?? null, mapping: { ...suggested, ...mapping } });
  }
  const settings = {
    task: wishes.task,
    labels: [],
    maxTokens: 512,
    minRowsPerLabel: 1,
    language: null,
    ...wishes.settings,
  };
  return makeVersion(
    { settings, files, base: null, steps: [], splitRule: DEFAULT_SPLIT_RULE, features: [], ...wishes.recipe },
    {
      folder: join(folder, `making-${randomUUID()}`),
      signal: wishes.signal ?? new AbortController().signal,
      countTokens: wishes.countTokens ?? null,
      parent: wishes.parent ?? [],
      progress: () => Promise.resolve(),
    },
  );
}

export interface StoredRow {
  key: string;
  group_key: string;
  subject: string | null;
  entity: string | null;
  event_time: number | null;
  text: string;
  label: string;
  body: string;
}

/** The rows of a version as they are kept, in their order. */
export async function storedRows({ rowGroups }: MadeVersion): Promise<StoredRow[]> {
  const paths = rowGroups.map(({ path }) => path);
  const engine = await TableEngine.open({ folder: await dataFolder(), readable: paths });
  try {
    return await engine.rows(`SELECT * FROM read_parquet([${paths.map(quote).join(', ')}]) ORDER BY ordinal`);
  } finally {
    engine.close();
  }
}

/** Rows that a rule named, as numbers of data rows; empty when it found none. */
export const rowsOf = (version: MadeVersion, rule: string): number[] =>
  version.report.problems.find((p) => p.rule === rule)?.rows.map((r) => r.row) ?? [];
