import { calibrate, logOdds, type PlaceSignal } from '../../../../src/ask/route/router/calibration.js';
import { lookAround } from '../../../../src/ask/route/router/look-around.js';
import type { Current } from '../../../../src/ask/route/router/router-store.js';
import { notFound } from '../../../../src/kernel/errors.js';
import { DEFAULT_WORKSPACE_ID as workspaceId } from '../../../../src/kernel/ids.js';
import { ALL_SEEN } from '../../../../src/knowledge/index.js';

const near = (top: number): PlaceSignal => ({ top, mean: top, coverage: 0 });
const spread = (around: number): PlaceSignal[] => Array.from({ length: 20 }, (_, i) => near(around + 0.005 * (i % 5)));
const calibration = calibrate(spread(0.9), spread(0.1));

/** A router that knows one adapter, and a question that is just like what the adapter was trained on. */
const current: Current = {
  record: {
    id: 'r',
    workspaceId,
    version: 4,
    embedderDigest: 'e',
    mode: 'APPLY',
    exploration: 0,
    createdAt: new Date(),
    modeSetAt: null,
    learned: {
      collections: [],
      temperature: 1,
      baseScore: 0,
      adapters: [{ versionId: 'v1', name: 'routing', version: 1, calibration }],
      figures: { questions: 1, accuracy: 1, calibrationError: 0, commonest: 1 },
    },
  },
  samples: new Map([
    ['v1', { adapterVersionId: 'v1', dimensions: 2, vectors: Float32Array.of(1, 0), direction: null }],
  ]),
};
const asked = {
  workspaceId,
  text: 'I was charged twice',
  expectedMs: {},
  maxErrorRate: null,
  scope: { workspaceId, collections: [], groups: null, sight: ALL_SEEN },
  vector: Promise.resolve({ vector: Float32Array.of(1, 0), ms: 0 }),
};
type Parts = Parameters<typeof lookAround>[0];

const partsWith = (resolve: () => Promise<unknown>): Parts =>
  ({ retriever: {}, labelIndexes: {}, adapters: { resolve } }) as unknown as Parts;
const look = (resolve: () => Promise<unknown>) =>
  lookAround(partsWith(resolve), current, asked, new AbortController().signal);
const inProduction = (version: number) =>
  Promise.resolve({ adapter: 'routing', version, datasetVersionId: null, usage: { answer: { form: 'text' } } });

describe('a router that looks around', () => {
  it('chooses the adapter whose inputs the question is like, and says how like', async () => {
    const { choice, reasons } = await look(() => inProduction(1));
    expect(choice.chosen).toMatchObject({ strategy: 'ADAPTER', adapter: 'routing@1' });
    expect(reasons.map(({ feature }) => feature)).toEqual(['router.probability', 'router.top', 'router.mean']);
  });

  it('applies an adapter whose rows are indexed with them, and shows it so among the candidates', async () => {
    const served = { adapter: 'routing', version: 1, datasetVersionId: 'd' };
    const parts = {
      retriever: {},
      labelIndexes: { find: () => Promise.resolve({ id: 'index' }) },
      adapters: { resolve: () => Promise.resolve({ ...served, usage: { answer: { form: 'label-token' } } }) },
    } as unknown as Parts;
    const { choice } = await lookAround(parts, current, asked, new AbortController().signal);
    expect(choice.chosen).toMatchObject({ strategy: 'HYBRID', adapter: 'routing@1' });
    expect(choice.places.map(({ strategy }) => strategy)).toEqual(['BASE', 'HYBRID']);
  });

  it('says how far behind a choice is that is not the most probable one, and behind what', async () => {
    const passage = { collectionId: 'c', collectionName: 'handbook', scores: { dense: 0.5 }, coverage: 0 };
    const parts = {
      retriever: {
        retrieve: () => Promise.resolve({ passages: [passage] }),
        termWeights: () => Promise.resolve(new Map()),
      },
    } as unknown as Parts;
    const score = logOdds(calibration, near(0.5));
    const learned = {
      ...current.record.learned,
      adapters: [],
      collections: [{ id: 'c', name: 'handbook', calibration }],
      // One place in three for the documents, two for the base model: too few to let it invent.
      baseScore: score + Math.log(2),
    };
    const { choice, reasons } = await lookAround(
      parts,
      { ...current, record: { ...current.record, learned } },
      { ...asked, scope: { workspaceId, collections: [{ id: 'c', name: 'handbook', chunks: 1 }] } as never },
      new AbortController().signal,
    );
    expect(choice).toMatchObject({ chosen: { strategy: 'RAG' }, exception: 'INVENTS' });
    expect(reasons[0]!.sentence).toBe('handbook: probability 0.33, 33 points behind: The base model.');
  });

  it('reads documents that it knows and can’t see now, however sure of an adapter it is', async () => {
    const passage = { collectionId: 'c', collectionName: 'handbook', scores: { dense: null }, coverage: 1 };
    const parts = {
      ...partsWith(() => inProduction(1)),
      retriever: {
        retrieve: () => Promise.resolve({ passages: [passage] }),
        termWeights: () => Promise.resolve(new Map()),
      },
    } as unknown as Parts;
    const scope = { workspaceId, collections: [{ id: 'c', name: 'handbook', chunks: 1 }] } as never;
    const collections = [{ id: 'c', name: 'handbook', calibration }];
    const chosen = async (known: typeof collections) => {
      const learned = { ...current.record.learned, collections: known };
      const router = { ...current, record: { ...current.record, learned } };
      return (await lookAround(parts, router, { ...asked, scope }, new AbortController().signal)).choice;
    };
    expect(await chosen(collections)).toMatchObject({ chosen: { strategy: 'RAG' }, exception: 'UNKNOWN' });
    expect(await chosen([])).toMatchObject({ chosen: { strategy: 'ADAPTER' } });
  });

  it('passes over an adapter that is gone, or whose version is not in production any more, and says so', async () => {
    for (const gone of [() => Promise.reject(notFound('The adapter', 'routing')), () => inProduction(2)]) {
      const { choice, reasons } = await look(gone);
      expect(choice.chosen).toMatchObject({ strategy: 'BASE', adapter: null });
      expect(reasons[0]!.sentence).toBe('routing@1 is not in production any more: fit the router again.');
    }
  });

  it('tries another place in its share of the questions, and says with which probability it chose', async () => {
    // Even odds: the base model is likely enough to be tried.
    const learned = { ...current.record.learned, baseScore: logOdds(calibration, near(1)) - 0.5 };
    const of = async (changed: object, asks: object) => {
      const router = { ...current, record: { ...current.record, exploration: 0.1, learned, ...changed } };
      const signal = new AbortController().signal;
      return lookAround(
        partsWith(() => inProduction(1)),
        router,
        { ...asked, requestKey: 'q', ...asks },
        signal,
      );
    };
    const tried = await Promise.all(Array.from({ length: 400 }, (_, n) => of({}, { requestKey: `question ${n}` })));
    const explored = tried.filter((each) => each.explored);
    expect(explored.length / tried.length).toBeGreaterThan(0.02);
    expect(explored.length / tried.length).toBeLessThan(0.09);
    expect(explored.map(({ choice }) => choice.chosen.strategy)).toEqual(explored.map(() => 'BASE'));
    expect(new Set(explored.map(({ propensity }) => propensity))).toEqual(new Set([0.05]));
    expect(explored[0]!.reasons.map(({ feature }) => feature)).toContain('router.exception');
    expect(tried.find((each) => !each.explored)!.propensity).toBeCloseTo(0.95, 9);
    // The same request is answered alike, however often it is sent.
    const [first] = explored;
    const n = tried.indexOf(first!);
    expect((await of({}, { requestKey: `question ${n}` })).explored).toBe(true);
    for (const [changed, asks] of [
      [{ mode: 'OBSERVE' }, {}],
      [{ exploration: 0 }, {}],
      [{}, { maxErrorRate: 0.5 }],
      [{}, { requestKey: null }],
    ])
      expect(await of(changed!, { requestKey: `question ${n}`, ...asks })).toMatchObject({
        propensity: null,
        explored: false,
      });
  });

  it('says from which probability on a wanted error rate is kept, or that it can’t be', async () => {
    const risk = [
      { confidence: 0.8, decisions: 99, wrong: 1 },
      { confidence: 0.3, decisions: 120, wrong: 20 },
    ];
    const reasons = async (maxErrorRate: number, known: typeof risk | undefined) => {
      const learned = { ...current.record.learned, ...(known && { risk: known }) };
      const looked = await lookAround(
        partsWith(() => inProduction(1)),
        { ...current, record: { ...current.record, learned } },
        { ...asked, maxErrorRate },
        new AbortController().signal,
      );
      return looked.reasons[0];
    };
    expect(await reasons(0.05, risk)).toMatchObject({ feature: 'router.risk', value: 0.8 });
    expect((await reasons(0.001, risk))!.sentence).toBe(
      'An error rate of 0.1 % can’t be kept: 20 of 120 routes of held-out questions were wrong, and no confidence is shown to tell them apart well enough.',
    );
    expect(await reasons(0.05, undefined)).toMatchObject({ feature: 'router.risk.unknown' });
  });

  it('hides no other failure', async () => {
    await expect(look(() => Promise.reject(new Error('the database is away')))).rejects.toThrow('the database is away');
  });
});
