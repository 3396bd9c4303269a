import type { StartRollout } from '../../../src/ship/delivery/rollouts/rollout-service.js';
import { newId } from '../../../src/kernel/ids.js';
import { labelled } from '../../support/recorded-answers.js';
import { DeliveryKit, wish, WORKSPACE, type TestGateway } from './delivery-kit.js';
import { FakeCandidate, reaches, serve, servedBy, shadowWish } from './shadow-kit.js';

jest.setTimeout(120_000);

describe('a rollout that wants its candidate to have answered unseen before', () => {
  let kit: DeliveryKit;
  let gateway: TestGateway;

  beforeAll(async () => {
    kit = await DeliveryKit.start();
    gateway = await kit.gateway({ askingInBulk: new FakeCandidate(() => labelled('refund')) });
  });
  afterAll(() => kit.dispose());

  const start = (name: string, over: Partial<StartRollout>) =>
    gateway.rolloutService.start(WORKSPACE, wish(name, over));
  const shadow = (name: string, over = {}) => gateway.shadowService.start(WORKSPACE, shadowWish(name, over));
  const complete = async (name: string, production: { id: string; version: number }, over = {}) => {
    const { id } = await shadow(name, { leastAnswers: 1, ...over });
    await serve(kit, [servedBy(production, name, { ...labelled('refund'), question: 'Where is it?' })]);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    return id;
  };

  it('is refused without a complete one, and begins with it as its evidence', async () => {
    const { versions } = await kit.adapter('wanted');
    const missing = {
      code: 'CONFLICT',
      field: 'input.requireShadow',
      hint: expect.stringMatching(/startShadow/) as string,
    };
    await expect(start('wanted', { requireShadow: true })).rejects.toMatchObject(missing);
    const running = await shadow('wanted');
    await expect(start('wanted', { requireShadow: true })).rejects.toMatchObject(missing);
    await expect(start('wanted', { shadow: running.id })).rejects.toMatchObject({
      code: 'CONFLICT',
      field: 'input.shadow',
      message: expect.stringMatching(/RUNNING/) as string,
    });
    await gateway.shadowService.stop(WORKSPACE, running.id, { by: 'op', reason: 'another' });
    await expect(start('wanted', { shadow: running.id })).rejects.toMatchObject({
      message: expect.stringMatching(/STOPPED/) as string,
    });
    const id = await complete('wanted', versions[0]!);
    const rollout = await start('wanted', { requireShadow: true });
    expect(rollout.shadowId).toBe(id);
  });

  it('takes the one that is named, of this candidate beside this production alone', async () => {
    const { versions } = await kit.adapter('named', { versions: 3 });
    const other = await complete('named', versions[0]!, { candidate: 3 });
    await expect(start('named', { shadow: other })).rejects.toMatchObject({
      code: 'CONFLICT',
      field: 'input.shadow',
      message: expect.stringMatching(/named@3 with version 1/) as string,
    });
    await expect(start('named', { shadow: newId() })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.shadow',
    });
    const first = await complete('named', versions[0]!);
    await complete('named', versions[0]!);
    expect(await kit.database.prisma.rollout.count({ where: { adapter: 'named' } })).toBe(0);
    expect((await start('named', { shadow: first })).shadowId).toBe(first);
  });

  it('says where no pairs were seen, with the command that shows them', async () => {
    const { versions } = await kit.adapter('unseen');
    const reasons = async (id: string) => (await kit.decisions(id))[0]!.reasons.join(' ');
    const { id } = await start('unseen', {});
    expect(await reasons(id)).toMatch(/graft call StartShadow adapter=unseen candidate=2/);
    await gateway.rolloutService.order(WORKSPACE, id, { command: { kind: 'ABORT' }, by: 'op', reason: 'unseen first' });
    const seen = await complete('unseen', versions[0]!);
    const after = await start('unseen', {});
    expect(after.shadowId).toBe(seen);
    expect(await reasons(after.id)).not.toMatch(/StartShadow/);
  });

  it('says the same of a key that is sent again', async () => {
    await kit.adapter('again');
    const input = wish('again', { shadow: null, requireShadow: false });
    const { id } = await gateway.rolloutService.start(WORKSPACE, input);
    const { shadow: _, requireShadow: __, ...older } = input;
    expect((await gateway.rolloutService.start(WORKSPACE, older)).id).toBe(id);
    await expect(gateway.rolloutService.start(WORKSPACE, { ...input, requireShadow: true })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });
});
