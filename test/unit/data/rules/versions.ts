import { classified, rule } from './kit.js';

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
});
