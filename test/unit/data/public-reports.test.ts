import { Split } from '../../../src/data/importing/splits.js';
import { TaskKind } from '../../../src/data/tasks/task-kinds.js';
import type { MadeVersion } from '../../../src/data/making/make-version.js';
import { dataFile, describeWithDatasets } from '../../support/data-files.js';
import { made, rowsOf } from '../../support/make-version.js';

const counts = (version: MadeVersion) => Object.fromEntries(version.report.problems.map((p) => [p.rule, p.count]));

describeWithDatasets('reports on the public files', (datasets) => {
  it('BANKING77: known copies, leaks from the test split and contradicting labels show up, and the test split stays whole', async () => {
    const files = [
      { file: await dataFile(`${datasets}/banking77-train.csv`), split: Split.TRAIN },
      { file: await dataFile(`${datasets}/banking77-test.csv`), split: Split.TEST },
    ];
    const version = await made({ task: TaskKind.CLASSIFICATION, files });
    expect(version.counts.test).toBe(3_080);
    expect(version.report.rows).toBe(13_083);
    // Seven texts of the test split stand in the training split but for case; more but for punctuation.
    expect(counts(version)['split-leak']).toBeGreaterThanOrEqual(7);
    expect(counts(version)['exact-duplicate']).toBeGreaterThanOrEqual(3);
    expect(counts(version)['contradicting-label']).toBeGreaterThanOrEqual(2);
    expect(counts(version)['near-contradiction']).toBeGreaterThan(50);
    expect(version.report.openErrors).toBe(0);
    expect(version.report.problems.map((p) => p.rule)).not.toContain('label-typo');
  });

  it('XQuAD: questions by article, spans that match, and pairs of languages on their right sides', async () => {
    const [en, es] = [await dataFile(`${datasets}/xquad.en.json`), await dataFile(`${datasets}/xquad.es.json`)];
    const questions = await made({
      task: TaskKind.QUESTION_ANSWERING,
      files: [{ file: en }],
      settings: { maxTokens: 2048 },
    });
    expect(questions.report).toMatchObject({ rows: 1_190, quarantinedRows: 0, openErrors: 0 });
    const constants = { SOURCE_LANGUAGE: 'en', TARGET_LANGUAGE: 'es' };
    const pairs = await made({
      task: TaskKind.TRANSLATION,
      files: [{ file: en, pair: es, mapping: { constants } }],
      settings: { maxTokens: 2048 },
    });
    expect(pairs.report.rows).toBe(1_430);
    expect(rowsOf(pairs, 'wrong-language').length).toBeLessThan(10);
    // The Spanish file begins its first context with a byte order mark.
    expect(rowsOf(pairs, 'misread-text')).toContain(1);
  });
});
