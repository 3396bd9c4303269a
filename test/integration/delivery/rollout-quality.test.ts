import { GraftClient } from '../../../src/client/graft-client.js';
import { fromGlobalId, toGlobalId } from '../../../src/kit/graphql/index.js';
import { seededRandom } from '../../../src/kernel/random.js';
import {
  ProposalsDocument,
  RolloutDocument,
  StartRolloutDocument,
  SubmitFeedbackDocument,
} from '../../../src/client/operations/index.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../../support/graft-program.js';
import { eventually } from '../../support/eventually.js';
import { labelled } from '../../support/recorded-answers.js';
import { DeliveryKit, type TestGateway } from './delivery-kit.js';

jest.setTimeout(900_000);

/** Right this often: 20 points apart, and as sure of it. */
const RIGHT = { CANDIDATE: 0.7, CONTROL: 0.9 };
const JUDGED = 0.2;
const AT_ONCE = 50;

describe('a version 20 points worse that is as sure, where a fifth of the answers is judged, over HTTP', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let kit: DeliveryKit;
  let graft: GraftProgram;
  let client: GraftClient;
  let gateway: TestGateway;

  beforeAll(async () => {
    [home, kit] = [await temporaryHome(), await DeliveryKit.start()];
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', DATABASE_URL: kit.database.url }).started;
    client = new GraftClient(graft.url);
    // It draws, and plants what the versions answer; the program watches.
    gateway = await kit.gateway({ watches: false });
  });
  afterAll(async () => {
    graft?.child.kill('SIGTERM');
    await graft?.ended;
    await kit?.dispose();
    await home?.remove();
  });

  const shown = async (id: string) => (await client.request(RolloutDocument, { id })).rollout!;

  /** Users ask and judge until the rollout waits for a person or has ended. */
  async function through(adapter: string, leastAnswers: number) {
    await kit.adapter(adapter);
    const { startRollout } = await client.request(StartRolloutDocument, {
      input: {
        adapter,
        advanced: { steps: [{ share: 0.5, leastAnswers, leastMinutes: 0 }] },
        reason: 'It passed the gate.',
        idempotencyKey: adapter,
      },
    });
    const { id } = startRollout.rollout;
    const row = fromGlobalId(id, 'Rollout', 'id');
    await gateway.tests.refresh();
    const random = seededRandom(7);
    const judged = new Set<string>();
    await eventually(
      'it waits or has ended',
      async () => {
        await kit.ask(gateway, adapter, AT_ONCE, () => labelled('refund', 0.8));
        const answers = await kit.database.prisma.answer.findMany({
          where: { assignmentSubject: row },
          select: { id: true, assignmentArm: true },
        });
        for (const answer of answers.filter((each) => !judged.has(each.id))) {
          judged.add(answer.id);
          if (random() >= JUDGED) continue;
          const score = random() < RIGHT[answer.assignmentArm as keyof typeof RIGHT] ? 1 : -1;
          const source = { kind: 'HUMAN' as const, name: answer.id };
          await client.request(SubmitFeedbackDocument, {
            input: { answer: toGlobalId('Answer', answer.id), score, source },
          });
        }
        const { awaitsApproval, finishedAt } = await shown(id);
        return awaitsApproval || finishedAt !== null;
      },
      800_000,
    );
    return id;
  }

  it('is taken back where enough are judged', async () => {
    const rollout = await shown(await through('long', 4_000));
    expect(rollout.status).toBe('ROLLED_BACK');
    expect(rollout.guardrails.filter(({ crossed }) => crossed).map(({ metric }) => metric)).toEqual(['FEEDBACK']);
  });

  it('else its proposal says that this could hardly have been seen, and its page with which probability', async () => {
    const rollout = await shown(await through('short', 40));
    expect(rollout).toMatchObject({ status: 'RUNNING', awaitsApproval: true });
    const seen = rollout.guardrails.find(({ metric }) => metric === 'FEEDBACK')!.couldSee;
    expect(seen.map(({ loss }) => loss)).toEqual([0.05, 0.1, 0.2]);
    for (const { byNow, byTheEnd } of seen) {
      expect(byNow).toBeLessThan(0.5);
      expect(byTheEnd).toBeGreaterThanOrEqual(byNow);
    }
    const { proposals } = await client.request(ProposalsDocument, { status: 'OPEN', adapter: 'short' });
    expect(proposals.edges[0]!.node.rationale).toMatch(/could (hardly|not) have been seen/);
  });
});
