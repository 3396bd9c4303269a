import { Split } from '../../../../src/sources/data/datasets/importing/splits.js';
import { TaskKind } from '../../../../src/sources/data/datasets/tasks/index.js';
import { made } from '../../../support/make-version.js';
import { classified, jsonl, rule } from './kit.js';

describe('rules on versions', () => {
  const rows = (n: number, text: (i: number) => string, label: (i: number) => string) =>
    Array.from({ length: n }, (_, i): [string, string] => [text(i), label(i)]);

  rule('field-drift', 'compares lengths with the version before', async () => {
    const before = await classified(
      rows(
        200,
        (i) => `short text ${'x'.repeat(i % 20)} ${i}`,
        (i) => (i % 2 ? 'a' : 'b'),
      ),
    );
    const parent = before.rowGroups.map((g) => g.path);
    const longer = await classified(
      rows(
        200,
        (i) => `a much longer text ${'word '.repeat(20 + (i % 20))} ${i}`,
        (i) => (i % 2 ? 'a' : 'b'),
      ),
      { parent },
    );
    expect(longer.report.problems.find((p) => p.rule === 'field-drift')?.findings.map((f) => f.subject)).toContain(
      'text length',
    );
    const same = await classified(
      rows(
        200,
        (i) => `short text ${'y'.repeat(i % 20)} ${i}`,
        (i) => (i % 2 ? 'a' : 'b'),
      ),
      { parent },
    );
    expect(same.report.problems.find((p) => p.rule === 'field-drift')).toBeUndefined();
  });

  rule('label-drift', 'compares the shares of labels with the version before', async () => {
    const text = (i: number) => `a text about ${i}`;
    const before = await classified(rows(200, text, (i) => (i % 2 ? 'a' : 'b')));
    const after = await classified(
      rows(200, text, (i) => (i % 5 ? 'a' : 'b')),
      { parent: before.rowGroups.map((g) => g.path) },
    );
    expect(after.report.problems.find((p) => p.rule === 'label-drift')?.findings).toHaveLength(1);
  });

  rule('empty-split', 'says that groups which are never parted leave a split without rows', async () => {
    const withGroups = async (groupOf: (i: number) => string, split?: Split) => {
      const file = await jsonl(
        Array.from({ length: 300 }, (_, i) => ({ text: `text ${i * 7919}`, label: 'ab'[i % 2], plan: groupOf(i) })),
      );
      const mapping = { columns: { TEXT: 'text', LABEL: 'label', GROUP: 'plan' } };
      const version = await made({
        task: TaskKind.CLASSIFICATION,
        files: [{ file, mapping, ...(split && { split }) }],
      });
      return version.report.problems.find((p) => p.rule === 'empty-split')?.findings.map((f) => [f.subject, f.value]);
    };
    expect(await withGroups((i) => (i % 2 ? 'free' : 'pro'))).toEqual([
      [Split.VALIDATION, 2],
      [Split.TEST, 2],
    ]);
    expect(await withGroups((i) => `thread ${i % 100}`)).toBeUndefined();
    expect(await withGroups(() => 'free', Split.TRAIN)).toBeUndefined();
  });
});
