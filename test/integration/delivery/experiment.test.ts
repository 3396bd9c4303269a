import { AnswerStore, AS_ASKED } from '../../../src/answer/ask/index.js';
import { toConclusion, toExperiment } from '../../../src/ship/delivery/experiments/experiment-view.js';
import { newId } from '../../../src/kernel/ids.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { eventually } from '../../support/eventually.js';
import { DeliveryKit, WORKSPACE, type TestGateway } from './delivery-kit.js';
import { abstained, ExperimentKit, planned } from './experiment-kit.js';

jest.setTimeout(180_000);

describe('an experiment', () => {
  let delivery: DeliveryKit;
  let kit: ExperimentKit;
  let gateway: TestGateway;

  beforeAll(async () => {
    delivery = await DeliveryKit.start();
    kit = new ExperimentKit(delivery);
    gateway = await delivery.gateway();
  });
  afterAll(() => delivery.dispose());
  // Tests on the same questions would take each other's: each has ended before the next begins.
  afterEach(async () => {
    for (const { id } of await gateway.experiments.running())
      await gateway.experimentService.order(WORKSPACE, id, { command: { kind: 'STOP' }, by: 'ann', reason: 'over' });
  });

  const order = (id: string, kind: 'PAUSE' | 'RESUME' | 'STOP' | 'END') =>
    gateway.experimentService.order(WORKSPACE, id, { command: { kind }, by: 'ann', reason: `to ${kind}` });
  const verdict = async (id: string) => toConclusion(await kit.row(id));

  it('finds the better arm, ends as planned with fixed intervals, and ships nothing', async () => {
    const random = seededRandom(1);
    const { id } = await kit.started(gateway, { plannedSize: 400 });
    expect(kit.drawn(gateway, 'a')!.assignment).toMatchObject({ kind: 'EXPERIMENT', subjectId: id, stage: 0 });
    await kit.ask(gateway, 410, (arm) => (random() < (arm === 'new' ? 0.1 : 0.4) ? abstained : {}));
    const row = await kit.becomes(id, 'ENDED');
    expect(row).toMatchObject({ verdict: 'WINNER', winner: 'new', final: true });
    const { sentence, suggestion, final } = await verdict(id);
    expect(final).toBe(true);
    expect(sentence).toMatch(/^new is better than old, at the planned end: ABSTENTION: /);
    expect(suggestion).toContain('strategy BASE');
    expect(await kit.actions(id)).toEqual(['CREATE', 'START', 'FIND', 'END']);
    await eventually('nobody is drawn any more', () => kit.drawn(gateway, 'a') === null);
    expect(await delivery.database.prisma.proposal.count()).toBe(0);
    expect(await delivery.database.prisma.rollout.count()).toBe(0);
    const points = (await gateway.experiments.points([id])).get(id)!;
    expect(points.at(-1)!.answers).toBeGreaterThanOrEqual(400);
    // What was known of units is forgotten with its end; the sums stay.
    expect(await delivery.database.prisma.experimentUnit.count({ where: { experimentId: id } })).toBe(0);
    await eventually(
      'its run ends',
      async () => (await gateway.runs.get(WORKSPACE, row.runId!))?.status === 'SUCCEEDED',
    );
  });

  it('writes its row at a bounded pace, however many answers come', async () => {
    const { id } = await kit.started(gateway, { plannedSize: 10_000 });
    await kit.ask(gateway, 1);
    await kit.countedAre(id, 1);
    const [before, from] = [(await kit.row(id)).revision, performance.now()];
    for (let n = 0; n < 120; n++) await kit.ask(gateway, 1);
    await kit.countedAre(id, 121);
    const writes = (await kit.row(id)).revision - before;
    // One in three seconds, and the one that had begun before.
    expect(writes).toBeLessThanOrEqual(2 + (performance.now() - from) / 3_000);
  });

  it('lets a control that is better win over an arm with the better name', async () => {
    const random = seededRandom(2);
    const { id } = await kit.started(gateway, {
      arms: [{ name: 'loser, as if it were new', strategy: 'BASE' }, { name: 'candidate' }],
      plannedSize: 400,
    });
    await kit.ask(gateway, 410, (arm) => (random() < (arm === 'candidate' ? 0.4 : 0.1) ? abstained : {}));
    await kit.becomes(id, 'ENDED');
    const { verdict: word, arm, suggestion } = await verdict(id);
    expect([word, arm]).toEqual(['WINNER', 'loser, as if it were new']);
    expect(suggestion).toMatch(/control: keep/);
  });

  it('calls equal arms no difference or inconclusive, and goes on while nothing is shown', async () => {
    // Every fifth answer of each: arms that are equal by chance would seem unequal in one run of twenty.
    const answered = new Map<string, number>();
    const fifth = (arm: string) => {
      const before = answered.get(arm) ?? 0;
      answered.set(arm, before + 1);
      return before % 5 === 0 ? abstained : {};
    };
    const { id } = await kit.started(gateway, { metrics: [{ metric: 'ABSTENTION', margin: 0.15 }], plannedSize: 600 });
    await kit.ask(gateway, 200, fifth);
    await kit.countedAre(id, 200);
    expect((await kit.row(id)).status).toBe('RUNNING');
    await kit.ask(gateway, 410, fifth);
    await kit.becomes(id, 'ENDED');
    expect(['NO_DIFFERENCE', 'INCONCLUSIVE']).toContain((await kit.row(id)).verdict);
    expect((await kit.row(id)).winner).toBeNull();
  });

  it('sees that units are lost in one arm, says so once, and gives no verdict', async () => {
    const { id } = await kit.started(gateway, { plannedSize: 300 });
    // Three in four answers of one arm are lost, and it seems perfect.
    await kit.ask(gateway, 520, (arm, n) => (arm === 'new' ? (n % 4 ? null : {}) : n % 3 ? {} : abstained));
    await kit.becomes(id, 'ENDED');
    expect((await kit.actions(id)).filter((action) => action === 'WARN')).toHaveLength(1);
    expect((await kit.reasons(id, 'WARN'))[0]).toMatch(/units old has \d+ where \d+ were due/);
    const { verdict: word, sentence } = await verdict(id);
    expect(word).toBe('INCONCLUSIVE');
    expect(sentence).toContain('as they were drawn');
    const health = toExperiment(await kit.row(id)).health.find(({ name }) => name === 'sample ratio')!;
    expect(health.healthy).toBe(false);
  });

  it('counts feedback that comes late, and takes back what was taken back', async () => {
    const { id } = await kit.started(gateway, { metrics: [{ metric: 'FEEDBACK' }] });
    const ids = await kit.ask(gateway, 20);
    await kit.countedAre(id, 20);
    const { prisma } = delivery.database;
    const say = async (answerId: string, agrees: boolean | null): Promise<void> => {
      await prisma.feedback.updateMany({ where: { answerId, supersededAt: null }, data: { supersededAt: new Date() } });
      if (agrees !== null)
        await prisma.feedback.create({
          data: {
            id: newId(),
            workspaceId: WORKSPACE,
            answerId,
            kind: 'FEEDBACK',
            sourceKind: 'HUMAN',
            sourceName: 'reader',
            digest: newId(),
            agrees,
            score: agrees ? 1 : -1,
          },
        });
      await gateway.database.prisma.$transaction((tx) =>
        new AnswerStore(delivery.database).noteFeedback(tx, [{ id: answerId, count: 1, wrong: 0, disputed: false }]),
      );
    };
    const rated = async () => {
      const { n, sum } = (await kit.state(id)).arms['new']!.metrics['FEEDBACK']!.all;
      return [n, sum];
    };
    const [first, second] = ids['new']!;
    await say(first!, true);
    await say(second!, true);
    await eventually('both count', async () => (await rated()).join() === '2,2');
    await say(second!, false);
    await eventually('it is changed', async () => (await rated()).join() === '2,1');
    await say(second!, null);
    await eventually('it is taken back', async () => (await rated()).join() === '1,1');
    expect(await kit.counted(id)).toBe(20);
  });

  it('counts a unit once however often it asks, gives it the same arm, and never counts a forced answer', async () => {
    const { id } = await kit.started(gateway);
    await kit.ask(
      gateway,
      60,
      () => ({}),
      (n) => `unit ${n % 6}`,
    );
    const forced = kit.drawn(gateway, 'tester', null, 'new')!;
    expect(forced.assignment).toMatchObject({ forced: true, arm: 'new' });
    await delivery.record(forced.assignment, {});
    await kit.countedAre(id, 60);
    const state = await kit.state(id);
    expect(state.units).toBe(6);
    const outcomes = Object.values(state.arms).reduce((sum, arm) => sum + arm.metrics['ABSTENTION']!.all.n, 0);
    expect(outcomes).toBe(6);
  });

  it('draws only who names a unit where it is sticky', async () => {
    await kit.started(gateway, { sticky: true });
    expect(kit.drawn(gateway, null)).toBeNull();
    expect(kit.drawn(gateway, 'somebody')).not.toBeNull();
    const [row] = await gateway.experiments.running();
    expect(toExperiment(row!).health.find(({ name }) => name === 'units')!.message).toMatch(/name a unit/);
  });

  it('learns how units are before its arms differ, and adjusts means by it', async () => {
    const random = seededRandom(4);
    const { id } = await kit.started(gateway, {
      sticky: true,
      beforeAnswers: 200,
      plannedSize: 200,
      metrics: [{ metric: 'LATENCY' }],
    });
    const speed = Array.from({ length: 200 }, () => 100 + 900 * random());
    const asked = (gain: number) =>
      kit.ask(
        gateway,
        200,
        (arm, n) => ({ latencyMs: speed[n]! - (arm === 'new' ? gain : 0) + 20 * random() }),
        (n) => `unit ${n}`,
      );
    expect(kit.drawn(gateway, 'unit 0')!.change).toEqual(AS_ASKED);
    await asked(0);
    await eventually('the arms differ', async () => (await kit.row(id)).phase === 1);
    await eventually('they are drawn', () => kit.drawn(gateway, 'unit 0')!.assignment.stage === 1);
    await asked(40);
    await kit.becomes(id, 'ENDED');
    const { comparisons, verdict: word, arm } = await verdict(id);
    // 40 ms among 900 ms of spread: without what was known before, 200 units would show nothing.
    expect([word, arm]).toEqual(['WINNER', 'new']);
    expect(comparisons[0]!.high! - comparisons[0]!.low!).toBeLessThan(80);
    const plain = (await kit.state(id)).arms['new']!.metrics['LATENCY']!;
    expect(plain.known.n).toBe(plain.all.n);
  });

  it('pauses, resumes and widens: nobody changes arms', async () => {
    const { id } = await kit.started(gateway, { coverage: 0.4 });
    const arms = () => Array.from({ length: 300 }, (_, n) => kit.drawn(gateway, `u${n}`)?.assignment.arm ?? null);
    const before = arms();
    await order(id, 'PAUSE');
    expect(arms().every((arm) => arm === null)).toBe(true);
    await order(id, 'RESUME');
    expect(arms()).toEqual(before);
    const command = (command: Parameters<typeof gateway.experimentService.order>[2]['command']) =>
      gateway.experimentService.order(WORKSPACE, id, { command, by: 'ann', reason: 'r' });
    await expect(command({ kind: 'WIDEN', coverage: 0.3 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await command({ kind: 'WIDEN', coverage: 0.6 });
    const wider = arms();
    before.forEach((arm, n) => arm && expect(wider[n]).toBe(arm));
    expect(wider.filter(Boolean).length).toBeGreaterThan(before.filter(Boolean).length);
  });

  it('stops an arm whose adapter is deleted or withdrawn, goes on with the others, and ends when too few are left', async () => {
    const { versions } = await delivery.adapter('gone', { versions: 3 });
    const arms = [
      { name: 'control' },
      { name: 'second', adapter: 'gone@2', strategy: 'ADAPTER' as const },
      { name: 'third', adapter: 'gone@3', strategy: 'ADAPTER' as const },
    ];
    const { id } = await kit.started(gateway, { arms });
    const unitOf = (name: string) =>
      Array.from({ length: 100 }, (_, n) => `u${n}`).find((unit) => kit.drawn(gateway, unit)?.assignment.arm === name)!;
    const [second, third] = [unitOf('second'), unitOf('third')];
    await delivery.database.prisma.adapterVersion.delete({ where: { id: versions[1]!.id } });
    await eventually('the arm is stopped', async () => (await kit.actions(id)).includes('STOP_ARM'));
    await eventually('its units are answered as production', () => kit.drawn(gateway, second) === null);
    expect(kit.drawn(gateway, third)!.assignment.arm).toBe('third');
    expect((await kit.reasons(id, 'STOP_ARM'))[0]).toMatch(/gone@2 was deleted or withdrawn/);
    expect(toExperiment(await kit.row(id)).arms[1]!.stopped).toMatch(/gone@2/);
    await delivery.database.pool.query('UPDATE adapter_version SET attestation = NULL WHERE id = $1', [
      versions[2]!.id,
    ]);
    await kit.becomes(id, 'STOPPED');
    expect((await kit.reasons(id, 'STOP')).join()).toMatch(/No arm is left/);
  });

  it('speaks for the proposal of what didn’t lose, and for nothing else', async () => {
    await delivery.adapter('fair');
    const arms = [{ name: 'production' }, { name: 'new', adapter: 'fair@2' }];
    const test = async (better: string) => {
      const { id } = await kit.started(gateway, { adapter: 'fair', arms });
      const wish = { adapter: 'fair', candidate: 2, rationale: 'as tested', by: 'ann', experimentId: id };
      const propose = () => gateway.proposalService.propose(WORKSPACE, wish);
      await expect(propose()).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.experiment' });
      for (let n = 0; n < 120; n++) {
        const { assignment } = kit.drawn(gateway, newId(), 'fair')!;
        await delivery.record(assignment, assignment.arm === better ? {} : abstained);
      }
      await kit.countedAre(id, 120);
      await order(id, 'END');
      return { id, propose };
    };
    const lost = await test('production');
    await expect(lost.propose()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('production is better') as string,
    });
    expect(await delivery.database.prisma.proposal.count({ where: { adapter: 'fair' } })).toBe(0);
    const won = await test('new');
    expect(await won.propose()).toMatchObject({ status: 'OPEN', experimentId: won.id, candidateVersion: 2 });
  });

  it('stops when production of its adapter moves, and when its run is cancelled', async () => {
    const { adapter, versions } = await delivery.adapter('moving', { versions: 3 });
    const over = { adapter: 'moving', arms: [{ name: 'production' }, { name: 'new', adapter: 'moving@2' }] };
    const { id } = await kit.started(gateway, over);
    expect(kit.drawn(gateway, 'x', 'moving')?.assignment.subjectId).toBe(id);
    const move = { alias: 'production', toVersionId: versions[2]!.id, by: 'x', reason: 'x', evidence: {} } as const;
    await gateway.adapters.store.moveAlias(adapter, move, versions[0]!.id);
    await kit.becomes(id, 'STOPPED');
    const second = await kit.started(gateway, { ...over, idempotencyKey: newId() });
    await gateway.runs.cancel(WORKSPACE, second.runId!);
    await kit.becomes(second.id, 'STOPPED');
    expect(await kit.reasons(second.id, 'STOP')).toEqual(['Its run was cancelled.']);
  });

  it('folds each answer once though two gateways watch, and a restart loses nothing', async () => {
    const other = await delivery.gateway();
    const { id } = await kit.started(gateway);
    await other.tests.refresh();
    await Promise.all([kit.ask(gateway, 60), kit.ask(other, 60)]);
    await other.stop();
    await kit.ask(gateway, 30);
    const third = await delivery.gateway();
    await kit.countedAre(id, 150);
    await kit.ask(third, 10);
    await kit.countedAre(id, 160);
    await third.stop();
  });

  it('is the same for the same key, and refuses what can’t be one, each with its field', async () => {
    const { create } = { create: (over: object) => gateway.experimentService.create(WORKSPACE, planned(over)) };
    const wish = planned();
    const first = await gateway.experimentService.create(WORKSPACE, wish);
    expect((await gateway.experimentService.create(WORKSPACE, wish)).id).toBe(first.id);
    await expect(gateway.experimentService.create(WORKSPACE, { ...wish, name: 'other' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    await gateway.experimentService.start(WORKSPACE, first.id, { by: 'a', reason: 'b' });
    await expect(gateway.experimentService.start(WORKSPACE, first.id, { by: 'a', reason: 'b' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await delivery.adapter('unproven');
    await delivery.database.pool.query(
      `UPDATE adapter_version SET attestation = NULL WHERE adapter_id = (SELECT id FROM adapter WHERE name = 'unproven')`,
    );
    for (const [over, code, field] of [
      [{ arms: [{ name: 'one' }] }, 'BAD_USER_INPUT', 'input.arms'],
      [
        {
          arms: [
            { name: 'a', weight: 0.5 },
            { name: 'b', weight: 0.2 },
          ],
        },
        'BAD_USER_INPUT',
        'input.arms',
      ],
      [{ arms: [{ name: 'a', weight: 0.5 }, { name: 'b' }] }, 'BAD_USER_INPUT', 'input.arms'],
      [{ arms: [{ name: 'a' }, { name: 'a' }] }, 'BAD_USER_INPUT', 'input.arms[1].name'],
      [{ arms: [{ name: 'a' }, { name: 'b', strategy: 'ADAPTER' }] }, 'BAD_USER_INPUT', 'input.arms[1].adapter'],
      [{ arms: [{ name: 'a' }, { name: 'b', denseWeight: 2 }] }, 'BAD_USER_INPUT', 'input.arms[1].denseWeight'],
      [
        { arms: [{ name: 'a' }, { name: 'b', strategy: 'ADAPTER', adapter: 'no@1' }] },
        'NOT_FOUND',
        'input.arms[1].adapter',
      ],
      [
        { arms: [{ name: 'a' }, { name: 'b', strategy: 'ADAPTER', adapter: 'unproven@1' }] },
        'CONFLICT',
        'input.arms[1].adapter',
      ],
      [{ adapter: 'nobody' }, 'NOT_FOUND', 'input.adapter'],
      [{ metrics: [] }, 'BAD_USER_INPUT', 'input.metrics'],
      [{ metrics: [{ metric: 'COST' }, { metric: 'LATENCY' }] }, 'BAD_USER_INPUT', 'input.metrics'],
      [{ metrics: [{ metric: 'COST', margin: -1 }] }, 'BAD_USER_INPUT', 'input.metrics[0].margin'],
      [{ coverage: 0 }, 'BAD_USER_INPUT', 'input.coverage'],
      [{ alpha: 1 }, 'BAD_USER_INPUT', 'input.advanced.alpha'],
      [{ plannedSize: 0.5 }, 'BAD_USER_INPUT', 'input.plannedSize'],
      [{ plannedDays: -1 }, 'BAD_USER_INPUT', 'input.plannedDays'],
      [{ beforeAnswers: 10 }, 'BAD_USER_INPUT', 'input.advanced.beforeAnswers'],
      [{ name: '' }, 'BAD_USER_INPUT', 'input.name'],
    ] as const)
      await expect(create(over)).rejects.toMatchObject({ code, field });
  });

  it('tells before the start what it can see, and days left while it runs', async () => {
    const { planner } = gateway;
    const sample = await planner.plan(WORKSPACE, { metric: 'FEEDBACK', baseline: 0.8, effect: 0.05 });
    // By the textbook, with the four fifths of alpha that the end has: 2 (2.0537 + 0.8416)² · .8 · .2 / .05² = 1,073 an arm.
    expect(sample.size! / 2).toBeCloseTo(1073, -1);
    expect(sample.power).toBeCloseTo(0.8, 2);
    expect(sample.leastEffect).toBeCloseTo(0.05, 3);
    expect((await planner.plan(WORKSPACE, { metric: 'FEEDBACK', baseline: 0.8, size: 200 })).leastEffect).toBeCloseTo(
      0.164,
      2,
    );
    // With a limit a mean is a share, and planned for as one.
    const slow = await planner.plan(WORKSPACE, { metric: 'LATENCY', beyond: 2000, baseline: 0.8, effect: 0.05 });
    expect(slow).toMatchObject({ size: sample.size, metric: 'LATENCY' });
    expect(slow.sentence).toContain('5.0 points in LATENCY beyond 2000');
    const { id } = await kit.started(gateway, { plannedSize: 1000, effect: 0.1 });
    await kit.ask(gateway, 100, (_, n) => (n % 4 ? {} : abstained));
    await kit.countedAre(id, 100);
    await delivery.database.pool.query(
      'UPDATE experiment SET watched_ms = 86400000, revision = revision + 1 WHERE id = $1',
      [id],
    );
    const progress = await planner.of(await kit.row(id));
    expect(progress.counted).toBe(100);
    expect(progress.daysLeft).toBeCloseTo(9, 1);
    expect(progress.conditionalPower).not.toBeNull();
    for (const over of [{ arms: 1 }, { effect: 0 }, { size: 0 }, { baseline: 2 }, { beyond: 0.5 }])
      await expect(planner.plan(WORKSPACE, { metric: 'FEEDBACK', ...over })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
      });
  });
});
