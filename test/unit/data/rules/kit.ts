import { Split } from '../../../../src/sources/data/datasets/importing/splits.js';
import { TaskKind } from '../../../../src/sources/data/datasets/tasks/index.js';
import { dataFolder, writtenFile } from '../../../support/data-files.js';
import { made, type Wishes } from '../../../support/make-version.js';

export const folder = await dataFolder();
let files = 0;

export const jsonl = (rows: object[], name = `rows-${++files}.jsonl`) =>
  writtenFile(folder, name, rows.map((row) => JSON.stringify(row)).join('\n'));

/** Version of rows given as [text, label], all for training. */
export async function classified(rows: [string, string][], wishes: Partial<Wishes> = {}) {
  const file = await jsonl(rows.map(([text, label]) => ({ text, label })));
  return made({ task: TaskKind.CLASSIFICATION, files: [{ file, split: Split.TRAIN }], ...wishes });
}

export const tested = new Set<string>();
/** A test of one rule; at the end all rules must have one. */
export const rule = (id: string, promise: string, body: () => Promise<void>) => {
  tested.add(id);
  it(`${id}: ${promise}`, body);
};

export const fruits: [string, string][] = [
  ['the apple is ripe and red', 'fruit'],
  ['a carrot grows underground', 'vegetable'],
  ['bananas are yellow when ripe', 'fruit'],
  ['cabbage needs a lot of water', 'vegetable'],
];
