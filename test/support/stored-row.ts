import { Split } from '../../src/sources/data/datasets/importing/splits.js';
import type { TaskRow } from '../../src/sources/data/datasets/tasks/index.js';
import type { StoredRow } from '../../src/sources/data/datasets/version-rows.js';

/** A row of a dataset version for training, as it is stored. */
export const storedRow = (ordinal: number, content: TaskRow, more: Partial<StoredRow> = {}): StoredRow => ({
  ordinal,
  key: String(ordinal),
  split: Split.TRAIN,
  subject: null,
  entity: null,
  eventTime: null,
  language: null,
  file: 0,
  row: ordinal,
  line: null,
  content,
  raw: null,
  features: null,
  problems: [],
  quarantined: false,
  sortValue: ordinal,
  ...more,
});
