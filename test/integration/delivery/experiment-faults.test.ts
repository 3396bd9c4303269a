import { systemClock } from '../../../src/kernel/clock.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { draws } from '../../support/draws.js';
import { dyingDatabase } from '../../support/dying-database.js';
import { eventually } from '../../support/eventually.js';
import { DeliveryKit, gatewayOn, WORKSPACE } from './delivery-kit.js';
import { abstained, ExperimentKit, planned } from './experiment-kit.js';

jest.setTimeout(300_000);

const KILLS = draws(20);
const EACH = 240 / KILLS;
/** A look and the transaction that writes it down make some twenty statements of these. */
const STATEMENTS = 24;
const CONCERNS = /experiment|feedback_sequence|assignment_sequence/i;

describe('an experiment among faults', () => {
  let kit: DeliveryKit;
  let experiments: ExperimentKit;

  beforeAll(async () => {
    kit = await DeliveryKit.start();
    experiments = new ExperimentKit(kit);
  });
  afterAll(() => kit.dispose());

  it(`counts each answer once and decides nothing twice when its gateway is killed at ${KILLS} seeded statements`, async () => {
    const asking = await kit.gateway({ watches: false });
    const size = KILLS * EACH;
    const { id } = await experiments.started(asking, { plannedSize: size, metrics: [{ metric: 'ABSTENTION' }] });
    const random = seededRandom(26);
    for (let n = 0; n < KILLS; n++) {
      const database = dyingDatabase(kit.database, 1 + Math.floor(STATEMENTS * random()), CONCERNS);
      const gateway = gatewayOn(database, { quick: true });
      await gateway.start().catch(() => undefined);
      await experiments.ask(asking, EACH, (arm, i) => (arm === 'old' && i % 3 ? abstained : {}));
      await database.death;
      await gateway.stop();
    }
    await kit.gateway({ quick: true });
    await experiments.becomes(id, 'ENDED');
    const recorded = await kit.database.prisma.answer.count({ where: { assignmentSubject: id } });
    expect(recorded).toBe(size);
    expect(await experiments.counted(id)).toBe(recorded);
    const actions = await experiments.actions(id);
    expect(actions.filter((action) => action === 'END')).toHaveLength(1);
    const findings = await experiments.reasons(id, 'FIND');
    expect(new Set(findings).size).toBe(findings.length);
    const events = await kit.database.prisma.event.count({ where: { stream: `experiment:${id}` } });
    expect(events).toBe(actions.length);
  });

  it('counts neither a day forward nor a day back of a wall clock that jumps', async () => {
    let jump = 0;
    const clock = { ...systemClock, now: () => new Date(Date.now() + (jump = jump > 0 ? -86_400_000 : 86_400_000)) };
    const gateway = await kit.gateway({ clock, quick: true });
    const { id } = await experiments.started(gateway, { plannedDays: 0.5 });
    await experiments.ask(gateway, 10);
    await experiments.countedAre(id, 10);
    await eventually('time is counted', async () => (await experiments.row(id)).watchedMs > 0);
    expect(await experiments.row(id)).toMatchObject({ status: 'RUNNING' });
    expect((await experiments.row(id)).watchedMs).toBeLessThan(3_600_000);
    await gateway.experimentService.order(WORKSPACE, id, { command: { kind: 'END' }, by: 'ann', reason: 'seen' });
  });

  it('is one, of a thousand that are made and started at once with one key', async () => {
    const gateway = await kit.gateway();
    const wish = planned({ name: 'crowded' });
    const made = await Promise.all(
      Array.from({ length: 1_000 }, () => gateway.experimentService.create(WORKSPACE, wish)),
    );
    const ids = new Set(made.map(({ id }) => id));
    expect(ids.size).toBe(1);
    const [id] = [...ids] as [string];
    const started = await Promise.allSettled(
      Array.from({ length: 1_000 }, () => gateway.experimentService.start(WORKSPACE, id, { by: 'ann', reason: 'go' })),
    );
    expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await experiments.actions(id)).filter((action) => action === 'START')).toHaveLength(1);
    expect(await kit.database.prisma.run.count({ where: { kind: 'EXPERIMENT_WATCH', idempotencyKey: id } })).toBe(1);
  });
});
