import { measureAnswers } from '../../../src/prove/evaluations/figures.js';
import { LabelWords } from '../../../src/sources/data/index.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const LABELS = Array.from({ length: 60 }, (_, i) => `l${i}`);

describe('how an adapter answered held-out rows', () => {
  let kit: AdapterKit;
  beforeAll(async () => {
    kit = await AdapterKit.start();
  });
  afterAll(() => kit.dispose());

  it('says of each label how often it was given and how often rightly, though not all cells of the confusion matrix are kept', async () => {
    // Each label is taken for each, and rightly given twice: 3,600 cells.
    const pairs = LABELS.flatMap((gold) =>
      LABELS.flatMap((predicted) => Array.from({ length: gold === predicted ? 2 : 1 }, () => ({ gold, predicted }))),
    );
    // Some rows were given no label at all.
    const none = LABELS.slice(0, 9).map((gold) => ({ gold, predicted: null }));
    const rows = [...pairs, ...none];
    const words = new LabelWords(LABELS);
    const figures = measureAnswers(
      rows.map(({ gold }, n) => ({ task: 'CLASSIFICATION', text: `row ${n}`, label: gold })),
      rows.map(({ predicted }) => ({
        text: predicted === null ? 'nothing of the kind' : words.say(predicted),
        probability: 0.5,
      })),
      null,
      { labels: words, languages: null },
    );
    expect(figures.confusions).toHaveLength(2_000);

    const datasetVersionId = newId();
    const version = await kit.add({ name: 'errs-widely', datasetVersionId });
    const { evaluations } = kit.domains.evaluation;
    await kit.models.database.prisma.$transaction(async (tx) => {
      const id = newId();
      await evaluations.begin(
        {
          id,
          workspaceId,
          variantId: version.variantId,
          datasetVersionId,
          split: 'TEST',
          scale: version.scale,
          adapterVersionId: version.id,
          compared: false,
        },
        tx,
      );
      await evaluations.finish(
        id,
        rows.length,
        { ...figures, asBefore: null, retention: null, regression: null, nearestRows: null, foreign: null },
        tx,
      );
    });
    const found = await evaluations.heldOut(workspaceId, [{ adapterVersionId: version.id, datasetVersionId }]);
    const cells = found.get(version.id)!;
    const sum = (of: typeof cells): number => of.reduce((all, { count }) => all + count, 0);
    expect(sum(cells)).toBe(rows.length);
    for (const label of LABELS) {
      const given = cells.filter(({ predicted }) => predicted === label);
      expect([sum(given), sum(given.filter(({ gold }) => gold === label))]).toEqual([LABELS.length + 1, 2]);
    }
    expect(sum(cells.filter(({ predicted }) => predicted === null))).toBe(none.length);
  });
});
