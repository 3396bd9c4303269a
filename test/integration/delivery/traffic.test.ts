import type { ExperimentMetricName } from '../../../src/ship/delivery/experiments/metrics.js';
import { UnitStore } from '../../../src/ship/delivery/experiments/unit-store.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { recordAnswers } from '../../support/recorded-answers.js';

describe('how answers were lately', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.dispose());
  beforeEach(() => database.prisma.answer.deleteMany());

  const traffic = (name: ExperimentMetricName, beyond: number | null = null) =>
    new UnitStore(database).traffic(workspaceId, null, { name, beyond });

  async function metricsWith(kind: string): Promise<ExperimentMetricName[]> {
    const [answerId] = await recordAnswers(database, workspaceId, [{}]);
    const source = { sourceKind: 'HUMAN', sourceName: 'anna', digest: kind };
    await database.prisma.feedback.create({
      data: { id: newId(), workspaceId, answerId, kind, agrees: true, ...source },
    });
    await database.prisma.answer.updateMany({ data: { feedbackCount: 1 } });
    const names: ExperimentMetricName[] = ['LATENCY', 'FEEDBACK', 'AGREEMENT'];
    const found = await Promise.all(names.map((name) => traffic(name)));
    return names.filter((_, i) => found[i] !== null);
  }

  test.each([
    ['FEEDBACK', 'FEEDBACK'],
    ['EXPECTATION', 'AGREEMENT'],
  ])('what is said as %s is measured as %s', async (kind, metric) => {
    const metrics = await metricsWith(kind);
    expect(metrics.filter((name) => ['FEEDBACK', 'AGREEMENT'].includes(name))).toEqual([metric]);
  });

  test('feedback of a kind that nobody knows counts as nothing', async () => {
    const metrics = await metricsWith('APPLAUSE');
    expect(metrics).toContain('LATENCY');
    expect(metrics).not.toContain('FEEDBACK');
    expect(metrics).not.toContain('AGREEMENT');
  });

  test('a mean is its typical value, and with a limit the share of answers beyond it', async () => {
    const times = [100, 200, 400, 2_500];
    await recordAnswers(
      database,
      workspaceId,
      times.map((latencyMs) => ({ latencyMs })),
    );
    expect(await traffic('LATENCY')).toMatchObject({ n: 4, mean: expect.closeTo((2 * 10 ** 10) ** 0.25, 6) as number });
    expect(await traffic('LATENCY', 2_000)).toMatchObject({ n: 4, mean: 0.25, variance: 0.25 });
    expect(await traffic('FEEDBACK')).toBeNull();
  });
});
