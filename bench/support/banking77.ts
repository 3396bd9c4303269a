import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DATASETS = process.env['GRAFT_SHARED_DATASETS'] ?? '../shared/datasets';

export interface LabelledQuestion {
  /** What stands before the answer. */
  prompt: string;
  /** The label in plain words. */
  label: string;
}

/** BANKING77 (Casanueva et al. 2020), in its file’s order. */
export function banking77(split: 'train' | 'test'): LabelledQuestion[] {
  const text = readFileSync(join(DATASETS, `banking77-${split}.csv`), 'utf8');
  const [, ...records] = [...text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*)),([^\n]*)\n?/g)];
  return records
    .filter(([, , , label]) => label !== undefined && label.trim() !== '')
    .map(([, quoted, plain, label]) => {
      const question = (quoted?.replaceAll('""', '"') ?? plain!).replace(/\s+/g, ' ').trim();
      return { prompt: `Customer: ${question}\nIntent:`, label: wordsOf(label!.trim()) };
    });
}

const wordsOf = (label: string): string => label.toLowerCase().replaceAll('_', ' ').replaceAll('?', '');

/** WikiText-2’s test part in two halves: what is replayed, and what retention is measured on. */
export function wikitext(): { replayed: string; heldOut: string } {
  const text = readFileSync(join(DATASETS, 'wikitext2-test.txt'), 'utf8');
  const middle = text.indexOf('\n', text.length >> 1);
  return { replayed: text.slice(0, middle), heldOut: text.slice(middle) };
}
