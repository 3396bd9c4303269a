import { Split } from '../../../../src/sources/data/datasets/importing/splits.js';
import { TaskKind } from '../../../../src/sources/data/datasets/tasks/index.js';
import { made, rowsOf } from '../../../support/make-version.js';
import { jsonl, rule } from './kit.js';

describe('rules on entities', () => {
  const extraction = async (rows: object[]) =>
    made({ task: TaskKind.EXTRACTION, files: [{ file: await jsonl(rows), split: Split.TRAIN }] });

  rule('offset-mismatch', 'compares the text at the offsets', async () => {
    const right = { text: 'Ada met Bob', entities: [{ start: 0, end: 3, text: 'Ada', type: 'P' }] };
    const wrong = { text: 'Then Bob left', entities: [{ start: 4, end: 7, text: 'Bob', type: 'P' }] };
    const beyond = { text: 'short', entities: [{ start: 3, end: 9, type: 'P' }] };
    expect(
      rowsOf(
        await extraction([right, wrong, beyond, { text: 'none', entities: [{ start: 2, end: 2, type: 'P' }] }]),
        'offset-mismatch',
      ),
    ).toEqual([2, 4]);
  });

  rule('overlapping-entities', 'names entities that share characters', async () => {
    const entities = [
      { start: 0, end: 8, type: 'LOC' },
      { start: 4, end: 14, type: 'ORG' },
    ];
    expect(rowsOf(await extraction([{ text: 'New York Times', entities }]), 'overlapping-entities')).toEqual([1]);
  });

  rule('entity-not-found', 'names listed mentions that are not there', async () => {
    const version = await extraction([
      { text: 'Ada met Bob', entities: { P: ['Ada'] } },
      { text: 'nobody', entities: { P: ['Eve'] } },
    ]);
    expect(rowsOf(version, 'entity-not-found')).toEqual([2]);
    expect(version.report.quarantinedRows).toBe(1);
  });

  rule('entity-ambiguous', 'names mentions that could stand elsewhere', async () => {
    expect(rowsOf(await extraction([{ text: 'Ada met Ada', entities: { P: ['Ada'] } }]), 'entity-ambiguous')).toEqual([
      1,
    ]);
  });
});
