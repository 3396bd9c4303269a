import { Split } from '../../../../src/sources/data/datasets/importing/splits.js';
import { TaskKind } from '../../../../src/sources/data/datasets/tasks/index.js';
import { made, rowsOf } from '../../../support/make-version.js';
import { classified, fruits, jsonl, rule } from './kit.js';

describe('rules on copies', () => {
  const long = 'my card has been stuck in the machine since this morning';

  rule('exact-duplicate', 'names the later copy of text and label; DEDUPLICATE removes it', async () => {
    const rows: [string, string][] = [...fruits, ['the  apple is ripe and red ', 'fruit']];
    expect(rowsOf(await classified(rows), 'exact-duplicate')).toEqual([5]);
    const version = await classified(rows, { recipe: { steps: ['DEDUPLICATE'] } });
    expect(version.statistics.deduplicated).toBe(1);
    expect(version.report.rows).toBe(4);
    expect(rowsOf(version, 'exact-duplicate')).toEqual([]);
  });

  rule('near-duplicate', 'names the same words in other spelling and nearly the same text', async () => {
    expect(
      rowsOf(
        await classified([
          ...fruits,
          [long, 'fruit'],
          [`${long.toUpperCase()}!`, 'fruit'],
          [long.replace('morning', 'evening'), 'fruit'],
        ]),
        'near-duplicate',
      ),
    ).toEqual([6, 7]);
  });

  rule('contradicting-label', 'quarantines both rows for training and spares the test split', async () => {
    const version = await classified([...fruits, [long, 'fruit'], [`${long}.`, 'vegetable']]);
    expect(rowsOf(version, 'contradicting-label')).toEqual([5, 6]);
    expect(version.report.quarantinedRows).toBe(2);
    const test = await made({
      task: TaskKind.CLASSIFICATION,
      files: [
        {
          file: await jsonl([
            { text: long, label: 'a' },
            { text: long, label: 'b' },
            { text: 'other', label: 'b' },
          ]),
          split: Split.TEST,
        },
      ],
    });
    expect(test.report.problems.find((p) => p.rule === 'contradicting-label')).toMatchObject({
      count: 2,
      quarantined: 0,
    });
  });

  rule('near-contradiction', 'warns of near duplicates with different labels', async () => {
    expect(
      rowsOf(
        await classified([...fruits, [long, 'fruit'], [long.replace('morning', 'evening'), 'vegetable']]),
        'near-contradiction',
      ),
    ).toEqual([5, 6]);
  });

  const leaky = async (train: string, test: string) => {
    const rows = (text: string) =>
      jsonl(
        [...fruits.map(([t, label]) => ({ text: `${t} ${text.length}`, label })), { text, label: 'fruit' }].slice(-1),
      );
    return made({
      task: TaskKind.CLASSIFICATION,
      files: [
        { file: await rows(train), split: Split.TRAIN },
        { file: await jsonl(fruits.map(([text, label]) => ({ text, label }))), split: Split.TRAIN },
        { file: await rows(test), split: Split.TEST },
      ],
    });
  };

  rule('split-leak', 'quarantines the copy for training and leaves the test split whole', async () => {
    const version = await leaky(long, `${long}!`);
    expect(version.report.problems.find((p) => p.rule === 'split-leak')).toMatchObject({
      count: 1,
      quarantined: 1,
      rows: [{ file: 0, row: 1, related: { file: 2, row: 1 } }],
    });
    expect(version.counts).toMatchObject({ train: 4, test: 1 });
  });

  rule('near-split-leak', 'does so for nearly the same text', async () => {
    const version = await leaky(long, long.replace('morning', 'evening'));
    expect(version.report.problems.find((p) => p.rule === 'near-split-leak')).toMatchObject({
      count: 1,
      quarantined: 1,
      rows: [{ file: 0 }],
    });
    expect(version.counts).toMatchObject({ train: 4, test: 1 });
  });

  it('questions on one context are no duplicates, the same question on another context neither', async () => {
    const rows = ['a', 'b'].flatMap((c) =>
      [1, 2].map((n) => ({
        question: `What is said about number ${n} in this text?`,
        context: `context ${c}`,
        answer: 'x',
      })),
    );
    const version = await made({
      task: TaskKind.QUESTION_ANSWERING,
      files: [{ file: await jsonl(rows), split: Split.TRAIN }],
    });
    expect(rowsOf(version, 'exact-duplicate')).toEqual([]);
    expect(rowsOf(version, 'near-duplicate')).toEqual([2, 4]);
  });
});
