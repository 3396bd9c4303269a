import DataLoader from 'dataloader';
import { AnswerStore } from '../../../src/answer/ask/index.js';
import { AdapterRolloutsResolver, loadRollout, VersionRolloutsResolver } from '../../../src/ship/delivery/index.js';
import type { GraphContext } from '../../../src/kit/graphql/index.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/ids.js';
import { eventually } from '../../support/eventually.js';
import { finishedAnswer } from '../../support/recorded-answers.js';
import { DeliveryKit, wish, WORKSPACE, type TestGateway } from './delivery-kit.js';

jest.setTimeout(120_000);

const failed = { failure: 'WORKER_CRASHED' };

describe('a rollout', () => {
  let kit: DeliveryKit;
  let gateway: TestGateway;

  beforeAll(async () => {
    kit = await DeliveryKit.start();
    gateway = await kit.gateway();
  });
  afterAll(() => kit.dispose());

  const start = (name: string, over = {}) => gateway.rolloutService.start(WORKSPACE, wish(name, over));
  const order = (id: string, kind: 'PAUSE' | 'RESUME' | 'ADVANCE' | 'APPROVE' | 'ABORT') =>
    gateway.rolloutService.order(WORKSPACE, id, { command: { kind }, by: 'ann', reason: `to ${kind}` });
  const drawn = (name: string, unit: string, by = gateway) =>
    by.tests.assign(WORKSPACE, name, { unit, requestKey: newId(), forceArm: null });
  const production = async (name: string) => {
    const { store } = gateway.adapters;
    const adapter = (await store.byName(WORKSPACE, name))!;
    return (await store.resolve(adapter, { alias: 'production' }))?.version ?? null;
  };

  it('takes a good candidate all the way with one approval, which makes it production', async () => {
    await kit.adapter('good');
    const { id } = await start('good');
    await kit.ask(gateway, 'good', 60);
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    // The gateway draws by what it last heard of the rollout.
    const units = Array.from({ length: 200 }, (_, n) => `unit ${n}`);
    const versionsOf = () => units.map((unit) => drawn('good', unit)?.change.adapter);
    await eventually('everybody is drawn', () => versionsOf().every((version) => version !== undefined));
    // A tenth stays with production until a person has approved.
    expect(versionsOf().filter((version) => version === 'good@1').length).toBeGreaterThan(5);
    await kit.ask(gateway, 'good', 20);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    expect(await production('good')).toBe(1);
    const [open] = await gateway.proposals.ofRollouts(WORKSPACE, [id]);
    expect(open).toMatchObject({ status: 'OPEN', candidateVersion: 2, replacesVersion: 1 });
    const decided = await gateway.proposalService.decide(WORKSPACE, open!.id, {
      approve: true,
      by: 'ann',
      reason: 'yes',
    });
    expect(decided).toMatchObject({ status: 'APPROVED', decidedBy: 'ann', reason: 'yes' });
    expect(await production('good')).toBe(2);
    expect(await kit.row(id)).toMatchObject({ status: 'COMPLETED' });
    expect(await kit.actions(id)).toEqual(['START', 'ADVANCE', 'AWAIT_APPROVAL', 'APPROVE', 'COMPLETE']);
    expect(drawn('good', 'anybody')).toBeNull();
    const run = (await kit.row(id)).runId;
    await eventually('its run ends', async () => (await gateway.runs.get(WORKSPACE, run))?.status === 'SUCCEEDED');
    const back = await gateway.adapters.rollback(WORKSPACE, {
      name: 'good',
      alias: 'production',
      by: 'ann',
      reason: 'no',
    });
    expect(back.isRollback).toBe(true);
    expect(await production('good')).toBe(1);
  });

  it('begins with no candidate that engines can’t serve, and nobody proposes one', async () => {
    await kit.adapter('unserved');
    gateway.adapters.servedBy(({ adapter }) =>
      adapter.name === 'unserved'
        ? Promise.reject(new GraftError('CONFLICT', 'The engines can’t serve it.'))
        : Promise.resolve(),
    );
    const refused = { code: 'CONFLICT', message: 'The engines can’t serve it.' };
    await expect(start('unserved')).rejects.toMatchObject(refused);
    const proposal = { adapter: 'unserved', candidate: null, rationale: 'try', by: 'ann', experimentId: null };
    await expect(gateway.proposalService.propose(WORKSPACE, proposal)).rejects.toMatchObject(refused);
  });

  it('goes back by itself when the candidate throws on every tenth question, and before its step is over', async () => {
    await kit.adapter('throws');
    const { id } = await start('throws', { steps: [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }] });
    await eventually('it goes back', async () => {
      await kit.ask(gateway, 'throws', 50, (arm, n) => (arm === 'CANDIDATE' && n % 10 === 9 ? failed : {}));
      return (await kit.row(id)).status === 'ROLLED_BACK';
    });
    const last = (await kit.decisions(id)).at(-1)!;
    expect(last).toMatchObject({ action: 'ROLL_BACK', check: 'GUARDRAIL', decidedBy: null });
    expect(last.reasons[0]).toMatch(/^FAILURE \(answers without an error\): /);
    expect(last.evidence).toMatchObject({ measures: { FAILURE: { candidate: {}, control: {} } } });
    expect(await production('throws')).toBe(1);
    await eventually('nobody is drawn', () => drawn('throws', 'anybody') === null);
  });

  it('goes back when the candidate is right but ten times slower, though nobody said what is slow', async () => {
    await kit.adapter('slow');
    const { id } = await start('slow', { steps: [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }] });
    await kit.ask(gateway, 'slow', 200, (arm, n) => ({ latencyMs: (arm === 'CANDIDATE' ? 1000 : 100) + (n % 7) }));
    await kit.reaches(id, 'it goes back', ({ status }) => status === 'ROLLED_BACK');
    expect((await kit.decisions(id)).at(-1)!.reasons[0]).toMatch(/^LATENCY \(answers that are quick enough\): /);
  });

  it('decides at the answer that crosses, while later ones have not come', async () => {
    await kit.adapter('crossing');
    const { id } = await start('crossing', { steps: [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }] });
    let candidates = 0;
    while ((await kit.row(id)).status === 'RUNNING' && candidates < 200) {
      const { CANDIDATE } = await kit.ask(gateway, 'crossing', 1, (arm) => (arm === 'CANDIDATE' ? failed : {}));
      candidates += CANDIDATE;
      if (CANDIDATE === 0) continue;
      const { _max } = await kit.database.prisma.answer.aggregate({
        where: { assignmentSubject: id },
        _max: { assignmentSequence: true },
      });
      await eventually('it is counted', async () => {
        const row = await kit.row(id);
        return row.lastSequence >= _max.assignmentSequence! || row.status !== 'RUNNING';
      });
    }
    expect((await kit.row(id)).status).toBe('ROLLED_BACK');
    // All that failed are the candidate's: no evidence is stronger.
    expect(candidates).toBeLessThan(20);
  });

  it('is as of now for whoever looks at it, though nobody has written down what came', async () => {
    await kit.adapter('now');
    const { id } = await start('now', { steps: [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }] });
    await kit.reaches(id, 'it is watched', ({ revision }) => revision > 0);
    const asked = await kit.ask(gateway, 'now', 60);
    const { rollouts } = gateway;
    const context = {
      workspaceId: WORKSPACE,
      loader: (_key: string, batch: unknown) => new DataLoader(batch as never),
    };
    const seen = () => loadRollout(context as unknown as GraphContext, rollouts, id);
    const now = { candidateAnswers: asked.CANDIDATE, controlAnswers: asked.CONTROL };
    expect(await seen()).toMatchObject(now);
    const [ofAdapter, ofVersion] = [
      new AdapterRolloutsResolver({ rollouts }),
      new VersionRolloutsResolver({ rollouts }),
    ];
    const { adapterId, candidateId } = await kit.row(id);
    const of = (row: string): [never, never] => [{ row: { id: row } } as never, context as never];
    expect(await ofAdapter.rollouts(...of(adapterId))).toMatchObject([now]);
    expect(await ofVersion.rollouts(...of(candidateId))).toMatchObject([now]);
    await order(id, 'ABORT');
    expect(await seen()).toMatchObject({ status: 'ABORTED' });
  });

  it('counts each answer once, and one that was committed late', async () => {
    await kit.adapter('once');
    const { id } = await start('once', { steps: [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }] });
    await kit.ask(gateway, 'once', 100);
    const rows = await kit.database.prisma.answer.findMany({ where: { assignmentSubject: id } });
    const late = rows[10]!;
    // As if its transaction had taken its number early and ended after the others.
    const counted = async () => {
      const { evidence } = { evidence: (await kit.row(id)).state as { watch: { answers: Record<string, number> } } };
      return evidence.watch.answers['candidate']! + evidence.watch.answers['control']!;
    };
    await eventually('all are counted', async () => (await counted()) === 100);
    await kit.database.prisma.answer.create({
      data: { ...late, id: newId(), requestId: newId(), body: {}, assignmentSequence: late.assignmentSequence! - 500n },
    });
    await eventually('the late one is counted, too', async () => (await counted()) === 101);
    await kit.ask(gateway, 'once', 1);
    await eventually('and only once', async () => (await counted()) === 102);
    await order(id, 'ABORT');
  });

  it('counts a failure though the same is asked again at once, and answered', async () => {
    await kit.adapter('retried');
    const { id } = await start('retried', { steps: [{ share: 0.5, leastAnswers: 100_000 }, { share: 0.9 }] });
    const store = new AnswerStore(kit.database);
    for (let n = 0; n < 20; n++) {
      const { assignment } = drawn('retried', newId())!;
      const key = newId();
      const asked = { workspaceId: WORKSPACE, requestId: key, inputDigest: key, question: 'How long is it valid?' };
      const claim = async () => (await store.claim({ ...asked, conversationId: null, askedBy: null }))!;
      const measures = { assignment, latencyMs: 10 };
      const failure = {
        status: 'FAILED' as const,
        code: 'WORKER_CRASHED' as const,
        message: 'It threw.',
        planned: null,
      };
      await store.fail(await claim(), failure, measures);
      expect(await store.complete(await claim(), finishedAnswer({}), measures)).toBe(true);
    }
    await eventually('both outcomes of each are counted', async () => {
      const { watch } = (await kit.row(id)).state as { watch: { answers: Record<string, number> } };
      return watch.answers['candidate']! + watch.answers['control']! === 40;
    });
    await order(id, 'ABORT');
  });

  it('refuses what it can’t start, and says what to do', async () => {
    await kit.adapter('plain', { candidate: false });
    await kit.adapter('nothing', { production: false });
    await expect(start('plain')).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.candidate' });
    await expect(start('plain', { candidate: 2 })).rejects.toMatchObject({ code: 'GATE_REFUSED' });
    await expect(start('plain', { candidate: 9 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(start('nothing')).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.adapter' });
    const { versions } = await kit.adapter('unproven');
    await kit.database.pool.query('UPDATE adapter_version SET attestation = NULL WHERE id = $1', [versions[1]!.id]);
    await expect(start('unproven')).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.candidate' });
    await kit.adapter('steps');
    for (const [steps, field] of [
      [[{ share: 0.5 }, { share: 1 }], 'input.advanced.steps[1].share'],
      [[{ share: 0.5 }, { share: 0.4 }, { share: 0.9 }], 'input.advanced.steps[1].share'],
      [[{ share: 0.5, leastAnswers: -1 }, { share: 0.9 }], 'input.advanced.steps[0].leastAnswers'],
      [[], 'input.advanced.steps'],
    ] as const)
      await expect(start('steps', { steps })).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field });
    const guardrails = [{ metric: 'FAILURE' }, { metric: 'FEEDBACK', margin: 1 }] as const;
    await expect(start('steps', { guardrails: [...guardrails] })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.advanced.guardrails[1].margin',
    });
    for (const [bad, field] of [
      [{ slowMs: 0 }, 'slowMs'],
      [{ unsure: 2 }, 'unsure'],
    ] as const)
      await expect(start('steps', bad)).rejects.toMatchObject({ field: `input.advanced.${field}` });
  });

  it('is one rollout under one key, whether a default is left out, null or named', async () => {
    await kit.adapter('defaults');
    const key = { idempotencyKey: 'once', steps: null };
    const { id } = await start('defaults', key);
    for (const same of [{ template: null }, { template: 'STANDARD' }, { alpha: null }, { alpha: 0.05 }] as const)
      expect(await start('defaults', { ...key, ...same })).toMatchObject({ id });
    await expect(start('defaults', { ...key, template: 'QUICK' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('is the only one of its adapter, of a thousand that are started at once by two gateways', async () => {
    await kit.adapter('crowded');
    const other = await kit.gateway();
    const results = await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, n) =>
        (n % 2 ? gateway : other).rolloutService.start(WORKSPACE, wish('crowded')),
      ),
    );
    const won = results.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' });
    expect(await kit.database.prisma.rollout.count({ where: { adapter: 'crowded' } })).toBe(1);
    await other.stop();
  });

  it('is the same for the same key, and refuses the key for other input', async () => {
    await kit.adapter('keyed');
    const input = wish('keyed');
    const first = await gateway.rolloutService.start(WORKSPACE, input);
    expect((await gateway.rolloutService.start(WORKSPACE, input)).id).toBe(first.id);
    await expect(gateway.rolloutService.start(WORKSPACE, { ...input, reason: 'other' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('is paused, resumed, advanced and aborted by named actors, and draws as it says at once', async () => {
    await kit.adapter('led');
    const { id } = await start('led', { steps: [{ share: 0.1, leastAnswers: 1000 }, { share: 0.5 }, { share: 0.9 }] });
    const unit = Array.from({ length: 100 }, (_, n) => `u${n}`).filter(
      (each) => drawn('led', each)?.assignment.arm === 'CANDIDATE',
    );
    await order(id, 'PAUSE');
    expect(await kit.row(id)).toMatchObject({ status: 'PAUSED' });
    await expect(order(id, 'PAUSE')).rejects.toMatchObject({ code: 'CONFLICT' });
    await order(id, 'RESUME');
    await order(id, 'ADVANCE');
    expect(await kit.row(id)).toMatchObject({ status: 'RUNNING', step: 1, share: 0.5 });
    // Raising the share reassigns nobody.
    for (const each of unit) expect(drawn('led', each)?.assignment).toMatchObject({ arm: 'CANDIDATE', stage: 1 });
    await order(id, 'ABORT');
    expect(drawn('led', unit[0] ?? 'u')).toBeNull();
    const made = await kit.decisions(id);
    expect(made.slice(1).map(({ action, decidedBy, reason }) => [action, decidedBy, reason])).toEqual(
      expect.arrayContaining([
        ['PAUSE', 'ann', 'to PAUSE'],
        ['ABORT', 'ann', 'to ABORT'],
      ]),
    );
    await expect(order(id, 'RESUME')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('still goes back while it is paused', async () => {
    await kit.adapter('held');
    const { id } = await start('held');
    await order(id, 'PAUSE');
    await kit.ask(gateway, 'held', 100, (arm) => (arm === 'CANDIDATE' ? failed : {}));
    await kit.reaches(id, 'it goes back', ({ status }) => status === 'ROLLED_BACK');
  });

  it.each(['candidate', 'control'] as const)('ends when its %s is deleted, with the reason', async (which) => {
    const { versions } = await kit.adapter(`deleted-${which}`);
    const { id } = await start(`deleted-${which}`);
    const gone = versions[which === 'candidate' ? 1 : 0]!;
    await kit.database.prisma.adapterVersion.delete({ where: { id: gone.id } });
    await kit.reaches(id, 'it ends', ({ status }) => status === 'ABORTED');
    expect((await kit.decisions(id)).at(-1)!.reasons[0]).toMatch(/deleted/);
  });

  it('ends when somebody lets production name another version', async () => {
    const { adapter, versions } = await kit.adapter('moved', { versions: 3 });
    const { id } = await start('moved');
    const move = { alias: 'production', toVersionId: versions[2]!.id, by: 'x', reason: 'x', evidence: {} } as const;
    await gateway.adapters.store.moveAlias(adapter, move, versions[0]!.id);
    await kit.reaches(id, 'it ends', ({ status }) => status === 'ABORTED');
    expect(await production('moved')).toBe(3);
  });

  it('ends when its run is cancelled, so that no candidate answers unwatched', async () => {
    await kit.adapter('cancelled');
    const { id, runId } = await start('cancelled');
    await gateway.runs.cancel(WORKSPACE, runId);
    await kit.reaches(id, 'it ends', ({ status }) => status === 'ABORTED');
    expect((await kit.decisions(id)).at(-1)!.reasons).toEqual(['Its run was cancelled.']);
  });

  it('holds without traffic for a week, and goes on when it comes back', async () => {
    await kit.adapter('silent');
    const { id, revision } = await start('silent', {
      noTrafficMinutes: 60,
      steps: [{ share: 0.5, leastAnswers: 5 }, { share: 0.9 }],
    });
    await kit.database.pool.query(
      'UPDATE rollout SET watched_ms = watched_ms + $2, revision = revision + 1 WHERE id = $1',
      [id, 7 * 24 * 3_600_000],
    );
    await eventually('it holds', async () => (await kit.actions(id)).includes('HOLD'));
    expect((await kit.decisions(id)).at(-1)).toMatchObject({ action: 'HOLD', check: 'NO_TRAFFIC' });
    expect((await kit.row(id)).revision).toBeGreaterThan(revision);
    await kit.ask(gateway, 'silent', 40);
    await kit.reaches(id, 'it goes on', ({ step }) => step === 1);
    expect((await kit.actions(id)).filter((action) => action === 'HOLD').length).toBeLessThanOrEqual(2);
    await order(id, 'ABORT');
  });

  it('refuses the second decision on its proposal, and rejection ends it', async () => {
    await kit.adapter('rejected');
    const { id } = await start('rejected');
    await kit.ask(gateway, 'rejected', 60);
    await kit.reaches(id, 'the last step', ({ step }) => step === 1);
    await gateway.tests.refresh();
    await kit.ask(gateway, 'rejected', 20);
    await kit.reaches(id, 'approval', ({ awaitsApproval }) => awaitsApproval);
    const [open] = await gateway.proposals.ofRollouts(WORKSPACE, [id]);
    const decide = (approve: boolean) =>
      gateway.proposalService.decide(WORKSPACE, open!.id, { approve, by: 'bob', reason: 'not now' });
    await order(id, 'PAUSE');
    await expect(decide(true)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringMatching(/is paused/) });
    await order(id, 'RESUME');
    const both = await Promise.allSettled([decide(false), decide(false)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(decide(true)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await kit.row(id)).toMatchObject({ status: 'ABORTED' });
    expect(await production('rejected')).toBe(1);
    expect((await gateway.proposals.byIds(WORKSPACE, [open!.id]))[0]).toMatchObject({
      status: 'REJECTED',
      decidedBy: 'bob',
    });
  });
});
