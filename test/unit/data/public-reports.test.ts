import { Split } from '../../../src/sources/data/datasets/importing/splits.js';
import { TaskKind } from '../../../src/sources/data/datasets/tasks/index.js';
import type { MadeVersion } from '../../../src/sources/data/datasets/making/make-version.js';
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

  it('CoNLL++: ids that begin anew in each split are kept, copies show up, mentions in doubt are reported', async () => {
    const file = await dataFile(`${datasets}/conllpp.csv`);
    const version = await made({ task: TaskKind.EXTRACTION, files: [{ file }] });
    expect(version.report).toMatchObject({ rows: 20_744, openErrors: 0 });
    expect(version.counts.test).toBe(3_453);
    const found = counts(version);
    expect(found['duplicate-id']).toBeUndefined();
    // Letter by letter, 1,796 rows repeat an earlier one of their split ("Scorers :", datelines, table heads), and the
    // texts of 612 stand in a split that is used later.
    expect(found['exact-duplicate']).toBeGreaterThanOrEqual(1_796);
    expect(found['split-leak']).toBeGreaterThanOrEqual(612);
    expect(found['entity-ambiguous']).toBeGreaterThan(0);
  });

  it('SST-2: three files as three splits', async () => {
    const files = [];
    for (const [part, split] of [
      ['train', Split.TRAIN],
      ['dev', Split.VALIDATION],
      ['test', Split.TEST],
    ] as const)
      files.push({ file: await dataFile(`${datasets}/sst2-${part}.tsv`), split });
    const version = await made({ task: TaskKind.CLASSIFICATION, files });
    expect(version.report).toMatchObject({ rows: 9_613, openErrors: 0 });
    expect(version.counts).toMatchObject({ validation: 872, test: 1_821 });
    // Two texts of the training split stand in the test split too.
    expect(counts(version)['split-leak']).toBeGreaterThanOrEqual(2);
    expect(version.report.quarantinedRows).toBeLessThan(20);
  });
});
