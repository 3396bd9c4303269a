import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/kernel/clock.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { draws } from '../../support/draws.js';
import { eventually } from '../../support/eventually.js';
import { DeliveryKit, wish, WORKSPACE, type TestGateway } from './delivery-kit.js';

jest.setTimeout(900_000);

const CHILD = new URL('rollout-child.js', import.meta.url).pathname;
const KILLS = draws(20);

/** Answers that a rollout has counted, in the steps that it was in when it did. */
const counted = (state: unknown): number => {
  const { watch } = state as { watch: { measures: Record<string, Record<'candidate' | 'control', { n: number }>> } };
  const { candidate, control } = watch.measures['FAILURE']!;
  return candidate.n + control.n;
};

describe('a rollout among faults', () => {
  let kit: DeliveryKit;

  beforeEach(async () => void (kit = await DeliveryKit.start()));
  afterEach(() => kit.dispose());

  const production = async (gateway: TestGateway, name: string) => {
    const adapter = (await gateway.adapters.store.byName(WORKSPACE, name))!;
    return (await gateway.adapters.store.resolve(adapter, { alias: 'production' }))?.version ?? null;
  };

  it(`loses no answer and decides nothing twice when its gateway is killed at ${KILLS} seeded points`, async () => {
    await kit.adapter('killed');
    const gateway = await kit.gateway({ watches: false });
    const { id } = await gateway.rolloutService.start(
      WORKSPACE,
      wish('killed', {
        steps: [
          { share: 0.2, leastAnswers: 10, leastMinutes: 0 },
          { share: 0.5, leastAnswers: 20, leastMinutes: 0 },
          { share: 0.9, leastAnswers: 10, leastMinutes: 0 },
        ],
      }),
    );
    const random = seededRandom(20);
    for (let n = 0; n < KILLS; n++) {
      const child = spawn(process.execPath, [CHILD, kit.database.url], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await Promise.all([kit.ask(gateway, 'killed', 160 / KILLS), sleep(1_000 * random())]);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await kit.gateway();
    await eventually(
      'the last step',
      async () => {
        await kit.ask(gateway, 'killed', 20);
        return (await kit.row(id)).step === 2;
      },
      60_000,
    );
    await gateway.tests.refresh();
    await kit.ask(gateway, 'killed', 20);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval, 60_000);
    const recorded = await kit.database.prisma.answer.count({ where: { assignmentSubject: id } });
    await eventually('all are counted', async () => counted((await kit.row(id)).state) === recorded);
    expect(await kit.actions(id)).toEqual(['START', 'ADVANCE', 'ADVANCE', 'AWAIT_APPROVAL']);
    const events = await kit.database.prisma.event.count({ where: { stream: `rollout:${id}` } });
    expect(events).toBe(4);
  });

  it('takes one decision each time though two gateways watch one database', async () => {
    await kit.adapter('shared');
    const both = [await kit.gateway(), await kit.gateway()] as const;
    const { id } = await both[0].rolloutService.start(WORKSPACE, wish('shared'));
    await both[1].tests.refresh();
    await Promise.all(both.map((gateway) => kit.ask(gateway, 'shared', 40)));
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    await Promise.all(both.map((gateway) => gateway.tests.refresh()));
    await Promise.all(both.map((gateway) => kit.ask(gateway, 'shared', 10)));
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    const approve = (gateway: TestGateway) =>
      gateway.rolloutService.order(WORKSPACE, id, { command: { kind: 'APPROVE' }, by: 'ann', reason: 'yes' });
    const results = await Promise.allSettled(both.map(approve));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await kit.actions(id)).toEqual(['START', 'ADVANCE', 'AWAIT_APPROVAL', 'APPROVE', 'COMPLETE']);
    expect(await production(both[0], 'shared')).toBe(2);
  });

  it('lets readers see one version or the other, never none, while its promotion is raced by a rollback', async () => {
    const { adapter } = await kit.adapter('raced');
    const gateway = await kit.gateway();
    const { id } = await gateway.rolloutService.start(WORKSPACE, wish('raced'));
    await kit.ask(gateway, 'raced', 60);
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    await gateway.tests.refresh();
    await kit.ask(gateway, 'raced', 20);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    let done = false;
    const seen = new Set<number | null>();
    const readers = Array.from({ length: 100 }, async () => {
      while (!done) seen.add(await production(gateway, 'raced'));
    });
    const rollback = () =>
      gateway.adapters.rollback(WORKSPACE, { name: 'raced', alias: 'production', by: 'bob', reason: 'back' });
    await Promise.allSettled([
      gateway.rolloutService.order(WORKSPACE, id, { command: { kind: 'APPROVE' }, by: 'ann', reason: 'yes' }),
      eventually('it is rolled back', async () => (await rollback()) !== null),
    ]);
    done = true;
    await Promise.all(readers);
    expect([...seen].every((version) => version === 1 || version === 2)).toBe(true);
    const changes = (await gateway.adapters.store.changes(adapter, { first: 10, after: null })).items;
    const production2 = changes.filter(({ alias }) => alias === 'production');
    // Each move began where the one before ended.
    for (const [i, change] of production2.slice(0, -1).entries())
      expect(change.fromVersionId).toBe(production2[i + 1]!.toVersionId);
    expect(await production(gateway, 'raced')).toBe(1);
  });

  it('goes on with a good candidate whose control is killed at every question', async () => {
    await kit.adapter('orphaned');
    const gateway = await kit.gateway();
    const { id } = await gateway.rolloutService.start(WORKSPACE, wish('orphaned'));
    await kit.ask(gateway, 'orphaned', 80, (arm) => (arm === 'CONTROL' ? { failure: 'WORKER_CRASHED' } : {}));
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    await gateway.tests.refresh();
    await kit.ask(gateway, 'orphaned', 20);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    expect(await kit.actions(id)).toEqual(['START', 'ADVANCE', 'AWAIT_APPROVAL']);
  });

  it('refuses to promote a version whose attestation was withdrawn, whoever approves how, and loses nothing by it', async () => {
    const { versions } = await kit.adapter('withdrawn');
    const gateway = await kit.gateway();
    const { id } = await gateway.rolloutService.start(WORKSPACE, wish('withdrawn'));
    await kit.ask(gateway, 'withdrawn', 60);
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    await gateway.tests.refresh();
    await kit.ask(gateway, 'withdrawn', 20);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    const attested = (attestation: string | null) =>
      kit.database.pool.query('UPDATE adapter_version SET attestation = $2 WHERE id = $1', [
        versions[1]!.id,
        attestation,
      ]);
    await attested(null);
    const [open] = await gateway.proposals.ofRollouts(WORKSPACE, [id]);
    const who = { by: 'ann', reason: 'yes' };
    const approve = () => gateway.rolloutService.order(WORKSPACE, id, { command: { kind: 'APPROVE' }, ...who });
    const decide = () => gateway.proposalService.decide(WORKSPACE, open!.id, { approve: true, ...who });
    for (const way of [approve, decide])
      await expect(way()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringMatching(/isn’t attested/) as string,
        hint: expect.stringMatching(/attest/i) as string,
      });
    expect(await production(gateway, 'withdrawn')).toBe(1);
    expect(await kit.row(id)).toMatchObject({ status: 'RUNNING', awaitsApproval: true });
    expect((await gateway.proposals.byIds(WORKSPACE, [open!.id]))[0]!.status).toBe('OPEN');
    expect(await kit.actions(id)).toEqual(['START', 'ADVANCE', 'AWAIT_APPROVAL']);
    await attested('{}');
    await approve();
    expect(await production(gateway, 'withdrawn')).toBe(2);
  });

  it('counts neither an hour forward nor an hour back of a wall clock that jumps', async () => {
    await kit.adapter('jumping');
    let jump = 0;
    const clock = { ...systemClock, now: () => new Date(Date.now() + (jump = jump > 0 ? -3_600_000 : 3_600_000)) };
    const gateway = await kit.gateway({ clock });
    const steps = [{ share: 0.5, leastAnswers: 1, leastMinutes: 30 }, { share: 0.9 }];
    const { id } = await gateway.rolloutService.start(WORKSPACE, wish('jumping', { steps, noTrafficMinutes: 30 }));
    await kit.ask(gateway, 'jumping', 20);
    await kit.reaches(id, 'time is counted', ({ watchedMs }) => watchedMs >= 5_000);
    expect((await kit.row(id)).watchedMs).toBeLessThan(600_000);
    expect(await kit.actions(id)).toEqual(['START']);
  });
});
