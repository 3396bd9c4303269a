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

  async function metricsWith(kind: string): Promise<string[]> {
    const [answerId] = await recordAnswers(database, workspaceId, [{}]);
    const source = { sourceKind: 'HUMAN', sourceName: 'anna', digest: kind };
    await database.prisma.feedback.create({
      data: { id: newId(), workspaceId, answerId, kind, agrees: true, ...source },
    });
    await database.prisma.answer.updateMany({ data: { feedbackCount: 1 } });
    return (await new UnitStore(database).traffic(workspaceId, null)).map(({ metric }) => metric);
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
});
