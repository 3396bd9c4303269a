import { calibrate, type PlaceSignal } from '../../../../src/answer/ask/route/router/calibration.js';
import { lookAround } from '../../../../src/answer/ask/route/router/look-around.js';
import type { Current } from '../../../../src/answer/ask/route/router/router-store.js';
import { systemClock } from '../../../../src/kernel/clock.js';
import { notFound } from '../../../../src/kernel/errors.js';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../../../../src/kernel/ids.js';
import { ALL_SEEN } from '../../../../src/sources/knowledge/index.js';

const near = (top: number): PlaceSignal => ({ top, mean: top, coverage: 0 });
const spread = (around: number): PlaceSignal[] => Array.from({ length: 20 }, (_, i) => near(around + 0.005 * (i % 5)));
const calibration = calibrate(spread(0.9), spread(0.1));
const handbook = { id: 'c', name: 'handbook', calibration, heldOut: { rows: 40, foreign: 40, scores: [0, 1, 2, 3] } };

/** A router that knows one adapter, and a question that is just like what the adapter was trained on. */
const current: Current = {
  record: {
    id: 'r',
    workspaceId,
    version: 4,
    embedderDigest: 'e',
    mode: 'APPLY',
    createdAt: new Date(),
    modeSetAt: null,
    learned: {
      collections: [],
      temperature: 1,
      significance: 0.05,
      baseScore: 0,
      adapterScore: 0,
      adapters: [
        {
          versionId: 'v1',
          name: 'routing',
          version: 1,
          datasetVersionId: 'd1',
          membership: {
            labels: ['charged', 'late'],
            weights: { bias: -5, own: 1, label: 0, near: 1 },
            calibration: { rows: 40, foreign: 40, scores: [0, 1, 2, 3], auc: 1 },
          },
          evidence: Array.from({ length: 20 }, (_, i) => 0.1 * i),
        },
      ],
      figures: { questions: 100, accuracy: 1, calibrationError: 0, commonest: 0.5, p: 0.001 },
      risks: {},
      fittedOn: { mark: 'm', collections: [], adapters: [] },
    },
  },
  samples: new Map([
    [
      'v1',
      {
        adapterVersionId: 'v1',
        rows: Float32Array.of(1, 0, 0, 1),
        ordinals: [12, 31],
        labels: ['charged', 'late'],
        // Classes charged, late, foreign; a row of weights for each dimension, the bias last.
        regression: { classes: 3, dimensions: 2, weights: Float32Array.of(4, -2, -2, -2, 4, -2, 0, 0, 1) },
      },
    ],
  ]),
};
const question = {
  workspaceId,
  text: 'I was charged twice',
  expectedMs: {},
  maxErrorRate: null,
  scope: { workspaceId, collections: [], groups: null, sight: ALL_SEEN },
  latest: undefined,
  named: false,
  vector: Promise.resolve({ vector: Float32Array.of(1, 0), ms: 0 }),
};
const foreign = { ...question, vector: Promise.resolve({ vector: Float32Array.of(-1, 0), ms: 0 }) };
type Parts = Parameters<typeof lookAround>[0];

const inProduction = (version: number) =>
  Promise.resolve({ adapter: 'routing', version, datasetVersionId: null, usage: { answer: { form: 'text' } } });
/** @param text of the only passage @param dense how like the question it and its sentence are */
const partsWith = (resolve: () => Promise<unknown>, dense: number | null = 0.5, text = 'It rains.'): Parts => {
  const passage = {
    collectionId: 'c',
    collectionName: 'handbook',
    documentName: 'bills',
    headings: [],
    text,
    start: 0,
    scores: { dense, fused: 1 },
    coverage: 0,
  };
  const queryVector = dense === null ? null : Float32Array.of(1);
  return {
    labelIndexes: {},
    adapters: { resolve },
    registry: { embedder: () => ({}) },
    worker: { embed: ({ texts }: { texts: string[] }) => Promise.resolve({ vectors: texts.map(() => [dense]) }) },
    clock: systemClock,
    retriever: {
      retrieve: () => Promise.resolve({ passages: [passage], queryVector }),
      termWeights: (_: unknown, words: string[]) => Promise.resolve(new Map(words.map((word) => [word, { idf: 1 }]))),
    },
  } as unknown as Parts;
};
const reading = { workspaceId, collections: [{ id: 'c', name: 'handbook', chunks: 1 }] } as never;
const knowing = (learned: Partial<Current['record']['learned']>): Current => ({
  ...current,
  record: { ...current.record, learned: { ...current.record.learned, ...learned } },
});
const look = (
  router: Current = current,
  asked: Parameters<typeof lookAround>[2] = question,
  resolve: () => Promise<unknown> = () => inProduction(1),
) => lookAround(partsWith(resolve), router, asked, new AbortController().signal);

describe('a router that looks around', () => {
  it('asks the adapter whose messages the question is like, and says how like and to which row', async () => {
    const { order, owner, reasons } = await look();
    expect(order).toEqual([owner]);
    expect(owner).toMatchObject({
      adapter: 'routing@1',
      nearest: { datasetVersionId: 'd1', ordinal: 12, label: 'charged', similarity: 1 },
    });
    expect(owner.pValue).toBeGreaterThan(0.4);
    expect(reasons.map(({ feature }) => feature)).toContain('router.adapter');
  });

  it('names the label that the nearest row has, whichever label is the more probable one', async () => {
    const { samples } = current;
    const sample = { ...samples.get('v1')!, labels: ['late', 'late'] };
    const { owner } = await look({ ...current, samples: new Map([['v1', sample]]) });
    expect(owner.nearest).toMatchObject({ ordinal: 12, label: 'late' });
  });

  it('asks nobody where the question is foreign to all', async () => {
    const { order, owner } = await look(current, foreign);
    expect(order).toEqual([]);
    expect(owner.strategy).toBe('BASE');
  });

  it('asks an adapter only from the p-value on that the fit found for all adapters', async () => {
    const { pValue } = (await look()).owner;
    expect((await look(knowing({ significance: pValue! }))).order).toHaveLength(1);
    expect((await look(knowing({ significance: pValue! + 0.01 }))).order).toEqual([]);
  });

  it('asks documents behind the adapter, and before it where hardly an own message finds as good a sentence', async () => {
    const found = (dense: number, text: string) =>
      lookAround(
        partsWith(() => inProduction(1), dense, text),
        knowing({ collections: [handbook] }),
        { ...question, scope: reading },
        new AbortController().signal,
      );
    const keys = async (dense: number, text: string) =>
      (await found(dense, text)).order.map(({ adapter, strategy }) => adapter ?? strategy);
    expect(await keys(0.8, 'It rains.')).toEqual(['routing@1', 'RAG']);
    expect(await keys(0.1, 'Whoever was charged twice is paid back.')).toEqual(['routing@1', 'RAG']);
    expect(await keys(0.9, 'Whoever was charged twice is paid back.')).toEqual(['RAG', 'routing@1']);
    const { owner, reasons } = await found(0.9, 'Whoever was charged twice is paid back.');
    expect(owner.strategy).toBe('RAG');
    expect(reasons.map(({ sentence }) => sentence).join()).toContain('Documents are asked first');
  });

  describe('where documents go before the adapter', () => {
    const asked = async (
      query: Omit<Parameters<typeof lookAround>[2], 'scope'>,
      { dense = 0.9, risks = {} }: { dense?: number; risks?: Current['record']['learned']['risks'] } = {},
    ) => {
      const parts = partsWith(() => inProduction(1), dense, 'Whoever was charged twice is paid back.');
      const router = knowing({ collections: [handbook], risks });
      const { order } = await lookAround(parts, router, { ...query, scope: reading }, new AbortController().signal);
      return order.map(({ adapter, strategy }) => adapter ?? strategy);
    };

    it('doesn’t let the adapter have the question under a wanted error rate, whose bound never counted such', async () => {
      const risks = { 'routing@1': [{ confidence: 0, decisions: 99, wrong: 1 }] };
      expect(await asked({ ...question, maxErrorRate: 0.1 }, { risks })).toEqual([]);
    });

    it('goes by the newest question of several that were put together', async () => {
      const latest = 'And what of the red bicycle with the bent wheel?';
      const text = `Who was charged twice and paid back? ${latest}`;
      expect(await asked({ ...question, text }, { dense: 0.7 })).toEqual(['RAG', 'routing@1']);
      expect(await asked({ ...question, text, latest }, { dense: 0.7 })).toEqual(['routing@1', 'RAG']);
    });
  });

  it('answers by both with an adapter whose rows are indexed', async () => {
    const parts = {
      ...partsWith(() =>
        Promise.resolve({
          adapter: 'routing',
          version: 1,
          datasetVersionId: 'd',
          usage: { answer: { form: 'label-token' } },
        }),
      ),
      labelIndexes: { find: () => Promise.resolve({ id: 'index' }) },
    } as unknown as Parts;
    const { order } = await lookAround(parts, current, question, new AbortController().signal);
    expect(order).toMatchObject([{ strategy: 'HYBRID', adapter: 'routing@1' }]);
  });

  it('passes over an adapter that is gone, or whose version is not in production any more, and says so', async () => {
    for (const gone of [() => Promise.reject(notFound('The adapter', 'routing')), () => inProduction(2)]) {
      const { order, reasons } = await look(current, question, gone);
      expect(order).toEqual([]);
      expect(reasons[0]!.sentence).toBe('routing@1 is not in production any more: the router is fitted again.');
    }
  });

  it('only observes while it isn’t shown to be better than the commonest place, whatever was asked of it', async () => {
    const figures = { questions: 100, accuracy: 0.205, calibrationError: 0, commonest: 0.769, p: 1 };
    expect((await look(knowing({ figures }))).mode).toBe('OBSERVE');
    expect((await look()).mode).toBe('APPLY');
  });

  it('asks only who is shown to keep its half of a wanted error rate, and else says what is not shown', async () => {
    const risks = {
      'routing@1': [
        { confidence: 0.7, decisions: 99, wrong: 1 },
        { confidence: 0.3, decisions: 120, wrong: 20 },
      ],
    };
    const under = (maxErrorRate: number, known: typeof risks | null) =>
      look(knowing({ risks: known ?? {} }), { ...question, maxErrorRate });
    expect(await under(0.1, risks)).toMatchObject({ order: [{ adapter: 'routing@1' }], unproven: null });
    const tooMuch = await under(0.002, risks);
    expect(tooMuch.order).toEqual([]);
    expect(tooMuch.unproven).toBe(
      'An error rate of 0.1 % can’t be kept: 20 of 120 routes of held-out questions were wrong, and no confidence is shown to tell them apart well enough.',
    );
    expect((await under(0.1, null)).unproven).toContain('routes to it were never measured');
  });

  it('hides no other failure', async () => {
    await expect(look(current, question, () => Promise.reject(new Error('the database is away')))).rejects.toThrow(
      'the database is away',
    );
  });
});
