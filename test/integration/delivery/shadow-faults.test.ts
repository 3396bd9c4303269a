import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/kernel/random.js';
import { draws } from '../../support/draws.js';
import { eventually } from '../../support/eventually.js';
import { labelled } from '../../support/recorded-answers.js';
import { DeliveryKit, WORKSPACE } from './delivery-kit.js';
import { FakeCandidate, serve, servedBy, shadowRow, shadowWish } from './shadow-kit.js';

jest.setTimeout(400_000);

const CHILD = new URL('shadow-child.js', import.meta.url).pathname;
const KILLS = draws(10);

describe('a shadow among faults', () => {
  let kit: DeliveryKit;

  beforeEach(async () => void (kit = await DeliveryKit.start()));
  afterEach(() => kit.dispose());

  const settled = async (id: string): Promise<number> => {
    const { answered, skipped } = await shadowRow(kit, id);
    return answered + Object.values(skipped as Record<string, number>).reduce((sum, count) => sum + count, 0);
  };

  it(`neither loses nor doubles a pair when its gateway is killed at ${KILLS} seeded points`, async () => {
    const { versions } = await kit.adapter('killed');
    const quiet = await kit.gateway({ watches: false });
    const { id } = await quiet.shadowService.start(WORKSPACE, shadowWish('killed'));
    const random = seededRandom(20);
    let served = 0;
    for (let n = 0; n < KILLS; n++) {
      const child = spawn(process.execPath, [CHILD, kit.database.url], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await serve(
        kit,
        Array.from({ length: 8 }, () => servedBy(versions[0]!, 'killed', labelled('refund'))),
      );
      served += 8;
      await sleep(800 * random());
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await kit.gateway({ askingInBulk: new FakeCandidate(() => labelled('refund')) });
    await eventually('each has one outcome', async () => (await settled(id)) === served, 60_000);
    const { answered } = await shadowRow(kit, id);
    expect(await kit.database.prisma.shadowPair.count({ where: { shadowId: id, status: 'COMPARED' } })).toBe(answered);
    const events = await kit.database.prisma.event.groupBy({
      by: ['payload'],
      where: { stream: `shadow:${id}`, type: 'COMPARED' },
      _count: true,
    });
    expect(events).toHaveLength(answered);
    expect(events.map(({ _count }) => _count)).toEqual(events.map(() => 1));
  });

  it('takes each sampled answer once though two gateways share the database', async () => {
    const { versions } = await kit.adapter('shared');
    const candidates = [new FakeCandidate(() => labelled('refund')), new FakeCandidate(() => labelled('refund'))];
    const both = [];
    for (const askingInBulk of candidates) both.push(await kit.gateway({ askingInBulk }));
    const { id } = await both[0]!.shadowService.start(WORKSPACE, shadowWish('shared', { leastAnswers: 15 }));
    await serve(
      kit,
      Array.from({ length: 15 }, () => servedBy(versions[0]!, 'shared', labelled('refund'))),
    );
    await eventually('it is complete', async () => (await shadowRow(kit, id)).status === 'COMPLETE');
    expect(candidates.flatMap(({ asked }) => asked)).toHaveLength(15);
  });
});
