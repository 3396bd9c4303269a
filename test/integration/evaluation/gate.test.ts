import { Gate, type EvaluationStore } from '../../../src/prove/index.js';
import { evidence, type PromotionRequest } from '../../../src/prove/gate/gate.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { AdapterVersionRow, Attestation } from '../../../src/sources/registry/index.js';
import { AdapterKit } from './adapter-kit.js';
import { evaluationFigures } from '../../support/evaluation-figures.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const interval = (value: number, low: number, high: number) => ({ value, low, high });

interface Found {
  gain?: [value: number, low: number, high: number];
  ratio?: [value: number, low: number, high: number];
  scale?: number;
  againstScale?: number | null;
  split?: string;
  dataset?: string;
  /** Accuracy of the version less that of a regression. */
  overRegression?: [value: number, low: number, high: number];
}

describe('promotion through the gate', () => {
  let kit: AdapterKit;
  let gate: Gate;
  let evaluations: EvaluationStore;

  beforeAll(async () => {
    kit = await AdapterKit.start();
    ({ evaluations, gate } = kit.domains.evaluation);
  });
  afterAll(() => kit.dispose());

  const proof = (digest: string): Attestation => ({
    v: 1,
    digest,
    variantSha256: kit.variant.sha256,
    modules: { matched: 6, expected: 6 },
    probes: 8,
    cosine: 1,
    normRatio: 1,
    effect: 1,
    offIsBase: true,
    attestedAt: new Date().toISOString(),
  });
  /** Versions of a new adapter, shown to act. */
  async function versions(name: string, count: number): Promise<AdapterVersionRow[]> {
    const all: AdapterVersionRow[] = [];
    for (let seed = 1; seed <= count; seed++) {
      const version = await kit.add({ name, seed });
      await kit.adapters.attest(version, proof(version.ggufSha256));
      all.push(version);
    }
    return all;
  }
  /** Writes down an evaluation as a run leaves it. */
  async function evaluated(
    { id, variantId }: AdapterVersionRow,
    against: AdapterVersionRow | null,
    {
      gain = [0.2, 0.1, 0.3],
      ratio = [1.01, 1, 1.02],
      scale = 1,
      againstScale = null,
      split = 'TEST',
      dataset = newId(),
      overRegression,
    }: Found = {},
  ): Promise<string> {
    const found = evaluationFigures(
      [
        {
          name: overRegression ? 'accuracy' : 'token F1',
          higherIsBetter: true,
          ...interval(0.8, 0.7, 0.9),
          difference: { ...interval(...gain), p: 0.01 },
          pairs: null,
        },
      ],
      {
        regression: overRegression
          ? {
              embedder: 'e',
              trainedOn: 100,
              strength: 10,
              accuracy: interval(0.8 - overRegression[0], 0.7, 0.9),
              difference: { ...interval(...overRegression), p: 0.5 },
              onlyAnswers: 1,
              onlyRegression: 2,
            }
          : null,
      },
      interval(...ratio),
    );
    const evaluation = newId();
    await kit.models.database.prisma.$transaction(async (tx) => {
      await evaluations.begin(
        {
          id: evaluation,
          workspaceId,
          variantId,
          datasetVersionId: dataset,
          split,
          scale,
          againstScale,
          adapterVersionId: id,
          compared: true,
          againstVersionId: against?.id ?? null,
        },
        tx,
      );
      await evaluations.finish(evaluation, 500, found, tx);
    });
    return evaluation;
  }
  const promote = (adapter: string, version: number, more: Partial<PromotionRequest> = {}) =>
    gate.promote(workspaceId, {
      adapter,
      version,
      alias: 'candidate',
      by: 'op',
      reason: 'better',
      force: false,
      ...more,
    });
  const production = { alias: 'production' } as const;

  it('goes from trained to candidate to production, and keeps with each move what it rested on', async () => {
    const [first] = await versions('whole-way', 1);
    await expect(promote('whole-way', 1)).rejects.toMatchObject({
      code: 'GATE_REFUSED',
      message: expect.stringMatching(
        /^The gate can’t judge this version yet\..*not evaluated on TEST rows against the base model/,
      ) as string,
    });
    const { checks } = await gate.verdict(workspaceId, first!);
    expect(checks.map(({ passed, measured }) => [passed, measured])).toEqual(checks.map(() => [false, false]));
    await expect(promote('whole-way', 1, production)).rejects.toMatchObject({
      code: 'GATE_REFUSED',
      message: expect.stringMatching(/never candidate/) as string,
    });
    const evaluationId = await evaluated(first!, null);
    const candidate = await promote('whole-way', 1);
    const moved = await promote('whole-way', 1, production);
    for (const change of [candidate, moved])
      expect(evidence.parse(change.evidence)).toMatchObject({ forced: false, evaluationId, replacedVersionId: null });
    expect((await kit.adapters.resolve(workspaceId, 'whole-way')).version).toBe(1);
  });

  it('refuses a version for forgetting and names the number and the bound', async () => {
    const [first] = await versions('forgets', 1);
    await evaluated(first!, null, { ratio: [3.6, 3.4, 3.9] });
    await expect(promote('forgets', 1)).rejects.toMatchObject({
      code: 'GATE_REFUSED',
      message: expect.stringMatching(/has forgotten general text.*3\.600.*3\.400 to 3\.900.*1\.05/) as string,
    });
    // A bound of the caller's own is kept with the change.
    const change = await promote('forgets', 1, { bounds: { perplexityRatio: 4 } });
    expect(evidence.parse(change.evidence).bounds.perplexityRatio).toBe(4);
  });

  it('refuses a version that is worse than the one it would replace, though it is better than the base model', async () => {
    const [first, second] = await versions('worse', 2);
    await evaluated(first!, null);
    await promote('worse', 1);
    await promote('worse', 1, production);
    await evaluated(second!, null);
    await expect(promote('worse', 2)).rejects.toMatchObject({
      message: expect.stringMatching(/not evaluated on TEST rows against worse@1/) as string,
    });
    await evaluated(second!, first!, { gain: [-0.1, -0.2, -0.02] });
    await expect(promote('worse', 2)).rejects.toMatchObject({
      code: 'GATE_REFUSED',
      message: expect.stringMatching(/is not better.*−0\.100 against worse@1/) as string,
    });
  });

  it('counts what was tried against the same, on whatever test rows, and asks more of the best of many', async () => {
    const tried = await versions('many-tries', 4);
    const dataset = newId();
    // Alone it is just better: 0.1 with a lower end of 0.01.
    const gain: Found['gain'] = [0.1, 0.01, 0.19];
    for (const version of tried.slice(0, 3)) await evaluated(version, null, { gain: [0, -0.1, 0.1], dataset });
    // The same version on the same rows again is no further try.
    await evaluated(tried[0]!, null, { gain: [0, -0.1, 0.1], dataset });
    await evaluated(tried[3]!, null, { gain, dataset });
    await expect(promote('many-tries', 4)).rejects.toMatchObject({
      code: 'GATE_REFUSED',
      message: expect.stringMatching(/can’t be told to be better/) as string,
    });
    const { checks } = await gate.verdict(workspaceId, tried[3]!);
    expect(checks.find(({ name }) => name === 'evaluation')!.message).toMatch(/4 times, on whatever test rows/);
    // Nor do other datasets help: each is a further look.
    for (let look = 0; look < 20; look++) await evaluated(tried[3]!, null, { gain });
    await expect(promote('many-tries', 4)).rejects.toMatchObject({ code: 'GATE_REFUSED' });
    const again = await gate.verdict(workspaceId, tried[3]!);
    expect(again.checks.find(({ name }) => name === 'evaluation')!.message).toMatch(/24 times/);
    await evaluated(tried[3]!, null, { gain: [0.1, 0.06, 0.14] });
    await promote('many-tries', 4);
  });

  it('counts other samples of the same rows as further tries', async () => {
    const [version] = await versions('samples', 1);
    const dataset = newId();
    const { prisma } = kit.models.database;
    const sampled = async (seed: number): Promise<void> => {
      const id = await evaluated(version!, null, { dataset });
      await prisma.run.create({
        data: {
          id,
          workspaceId,
          kind: 'EVALUATION',
          status: 'SUCCEEDED',
          input: { seed, rows: 200 },
          inputDigest: `${seed}`,
        },
      });
    };
    for (const seed of [1, 2, 2]) await sampled(seed);
    const { checks } = await gate.verdict(
      workspaceId,
      (await kit.adapters.store.versionsById(workspaceId, [version!.id]))[0]!,
    );
    expect(checks.find(({ name }) => name === 'evaluation')!.message).toMatch(/2 times, on whatever test rows/);
  });

  it('rests on test rows at the scale that is served, and on nothing else', async () => {
    const [first] = await versions('elsewhere', 1);
    await evaluated(first!, null, { split: 'VALIDATION' });
    await evaluated(first!, null, { scale: 0.5 });
    await expect(promote('elsewhere', 1)).rejects.toMatchObject({
      message: expect.stringMatching(/not evaluated/) as string,
    });
  });

  it('rests on a comparison with what answers as strongly now; where its scale was not kept it was 1', async () => {
    const [first, second] = await versions('against-weaker', 2);
    await evaluated(second!, first!, { againstScale: 1 });
    await kit.adapters.rescale(first!, 0.5, {});
    const weaker = { ...first!, scale: 0.5 };
    await kit.adapters.attest(weaker, proof(first!.ggufSha256));
    await evaluated(weaker, null, { scale: 0.5 });
    await promote('against-weaker', 1);
    await promote('against-weaker', 1, production);
    const refused = { code: 'GATE_REFUSED', message: expect.stringMatching(/not evaluated/) as string };
    await expect(promote('against-weaker', 2)).rejects.toMatchObject(refused);
    await evaluated(second!, weaker);
    await expect(promote('against-weaker', 2)).rejects.toMatchObject(refused);
    const evaluationId = await evaluated(second!, weaker, { againstScale: 0.5 });
    expect(evidence.parse((await promote('against-weaker', 2)).evidence)).toMatchObject({ evaluationId });
  });

  it('writes down that it was forced, and what failed', async () => {
    await versions('forced', 1);
    const change = await promote('forced', 1, { force: true, reason: 'The old one is broken.' });
    const { forced, checks } = evidence.parse(change.evidence);
    expect(forced).toBe(true);
    expect(checks.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(['evaluation']);
    expect(change.reason).toBe('The old one is broken.');
    await promote('forced', 1, production);
  });

  it('lets a first version that is behind a regression answer only where somebody says so', async () => {
    const [first, second] = await versions('behind', 2);
    await evaluated(first!, null, { overRegression: [-0.05, -0.09, -0.01] });
    // To be asked for by name it needs no word.
    await promote('behind', 1);
    const refused = {
      code: 'GATE_REFUSED',
      field: 'input.confirmNotBetter',
      message: expect.stringMatching(
        /is worse than a regression.*0\.800 beside 0\.850, −0\.050 \(−0\.090 to −0\.010\).*all the same\?/,
      ) as string,
    };
    await expect(promote('behind', 1, production)).rejects.toMatchObject(refused);
    const change = await promote('behind', 1, { ...production, confirmNotBetter: true });
    const held = evidence.parse(change.evidence);
    expect(held).toMatchObject({ forced: false, confirmed: true });
    expect(held.simpler).toMatchObject([{ name: 'regression', better: false }]);
    // What answers already is what a later version is held against.
    await evaluated(second!, first!, { overRegression: [-0.05, -0.09, -0.01], againstScale: 1 });
    await promote('behind', 2);
    expect(evidence.parse((await promote('behind', 2, production)).evidence)).toMatchObject({
      confirmed: false,
      simpler: [],
    });
  });

  it('wants no word for a first version that is shown to be better, and one where it can’t be told', async () => {
    const [better] = await versions('ahead', 1);
    await evaluated(better!, null, { overRegression: [0.05, 0.01, 0.09] });
    await promote('ahead', 1);
    expect(evidence.parse((await promote('ahead', 1, production)).evidence).confirmed).toBe(false);
    const [even] = await versions('even', 1);
    await evaluated(even!, null, { overRegression: [0.01, -0.02, 0.04] });
    await promote('even', 1);
    await expect(promote('even', 1, production)).rejects.toMatchObject({ code: 'GATE_REFUSED' });
    expect(evidence.parse((await promote('even', 1, { ...production, force: true })).evidence).forced).toBe(true);
  });

  it('never lets through what was not shown to act, forced or not', async () => {
    await kit.add({ name: 'unproven', seed: 1 });
    await expect(promote('unproven', 1, { force: true })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(promote('unproven', 1, { ...production, force: true })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('wants a candidate held against what production names now', async () => {
    const [first, second] = await versions('stale', 2);
    await evaluated(first!, null);
    await evaluated(second!, null);
    await promote('stale', 1);
    await promote('stale', 2);
    await promote('stale', 1, production);
    await expect(promote('stale', 2, production)).rejects.toMatchObject({
      code: 'GATE_REFUSED',
      message: expect.stringMatching(/against another version/) as string,
    });
    const change = await promote('stale', 2, { ...production, force: true });
    expect(evidence.parse(change.evidence)).toMatchObject({ forced: true, replacedVersionId: first!.id });
  });

  it('lets one of two callers through who promote at once', async () => {
    const [first, second] = await versions('raced', 2);
    await evaluated(first!, null);
    await evaluated(second!, null);
    const { store } = kit.adapters;
    // Both have seen the same state before either moves.
    let arrived = 0;
    let open: () => void = () => undefined;
    const both = new Promise<void>((resolve) => (open = resolve));
    const adapters = Object.assign(Object.create(kit.adapters) as typeof kit.adapters, {
      async promote(...args: Parameters<typeof kit.adapters.promote>) {
        if (++arrived === 2) open();
        await both;
        return kit.adapters.promote(...args);
      },
    });
    const racing = new Gate({ adapters, evaluations });
    const wish = { adapter: 'raced', alias: 'candidate', by: 'op', reason: 'better', force: false } as const;
    const results = await Promise.allSettled(
      [1, 2].map((version) => racing.promote(workspaceId, { ...wish, version })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = results.find((each): each is PromiseRejectedResult => each.status === 'rejected')!;
    expect(lost.reason).toMatchObject({ code: 'CONFLICT' });
    const adapter = await kit.adapters.require(workspaceId, 'raced');
    expect((await store.changes(adapter, { first: 10, after: null })).items).toHaveLength(1);
  });
});
