import { PreprocessingStep } from '../../../src/sources/data/index.js';
import type { ImprovementRow } from '../../../src/ship/improvement/improvement.js';
import { newId } from '../../../src/kernel/ids.js';
import type { AdapterRow } from '../../../src/sources/registry/index.js';
import { eventually } from '../../support/eventually.js';
import { labelled, recordAnswers } from '../../support/recorded-answers.js';
import { ws } from '../data/data-kit.js';
import { evenDraws } from '../delivery/delivery-kit.js';
import { ANNA, ImprovementKit } from './improvement-kit.js';

const DAY_MS = 86_400_000;

describe('a retraining policy', () => {
  let kit: ImprovementKit;
  beforeAll(async () => {
    kit = await ImprovementKit.start();
    kit.work();
  }, 60_000);
  afterAll(() => kit.dispose());

  const now = () => new Date();
  const look = (at = now()) => kit.service.look(at);
  const ended = (adapter: AdapterRow, count: number) =>
    eventually(`${count} improvements have ended`, async () => {
      const all = await kit.of(adapter);
      return all.length === count && all.every(({ outcome }) => outcome !== null) && all;
    });
  /** Lets no policy of the tests before begin anything. */
  afterEach(() => kit.kit.database.prisma.retrainingPolicy.deleteMany());

  it('begins by itself after so many rows, once though several gateways look, and leads to a proposal', async () => {
    const adapter = await kit.adapter({ newRows: 10 });
    await kit.said(adapter, 9);
    await look();
    expect(await kit.of(adapter)).toEqual([]);
    await kit.said(adapter, 1);
    await Promise.all([look(), look(), look()]);
    const [row] = await ended(adapter, 1);
    expect(row).toMatchObject({ trigger: 'NEW_ROWS', startedBy: 'policy', outcome: 'PROPOSED', newRows: 10 });
    // What was said is in a version now, so that it begins nothing again.
    await look();
    expect(await kit.of(adapter)).toHaveLength(1);
  });

  const raise = (about: { kind: 'QUESTIONS' | 'RULE'; source: string; ruleId: string | null }) => {
    const said = { sentence: 'It is otherwise.', evidence: 100, observations: 60, quietMinutes: 15 };
    return kit.kit.database.prisma.$transaction((tx) => kit.alerts.raise(tx, { workspaceId: ws, ...about, ...said }));
  };

  it('begins on an alert of a rule that names it, with what that says, and not once more on the same', async () => {
    const adapter = await kit.adapter({ newRows: null, onAlert: true, leastRows: 5 });
    const other = await kit.adapter({ newRows: null, onAlert: true, leastRows: 5 });
    await kit.said(adapter, 6);
    await kit.said(other, 6);
    await look();
    const rule = {
      metric: 'ACCURACY',
      side: 'BELOW',
      threshold: 0.5,
      limit: null,
      where: { adapter: adapter.name },
      answersPerFalseAlert: 20_000,
      quietMinutes: 15,
    } as const;
    const { id } = await kit.alerts.setRule(ws, adapter.name, rule, true);
    await raise({ kind: 'RULE', source: `rule:${id}`, ruleId: id });
    await look();
    const [row] = await ended(adapter, 1);
    expect(row).toMatchObject({ trigger: 'ALERT', reason: 'It is otherwise.', outcome: 'PROPOSED' });
    expect(await kit.of(other)).toEqual([]);
    await kit.said(adapter, 6);
    await look();
    expect(await kit.of(adapter)).toHaveLength(1);
  });

  it('only proposes on an alert of drift, until an improvement that began under one went to production', async () => {
    const adapter = await kit.adapter({ newRows: null, onAlert: true, leastRows: 5, autoApprove: true });
    const drift = (version: number) =>
      raise({ kind: 'QUESTIONS', source: `drift:questions:${adapter.name}@${version}`, ruleId: null });
    const proposal = async () => kit.service.proposal(await kit.policy(adapter));
    await kit.said(adapter, 6);
    expect(await proposal()).toBeNull();
    await drift(1);
    await look();
    expect(await kit.of(adapter)).toEqual([]);
    expect(await proposal()).toBe('It is otherwise.');
    await kit.begin(adapter);
    expect(await ended(adapter, 1)).toMatchObject([{ trigger: 'MANUAL', outcome: 'PROMOTED' }]);
    expect(await proposal()).toBeNull();
    await kit.said(adapter, 6);
    await drift(2);
    await look();
    expect((await ended(adapter, 2))[1]).toMatchObject({ trigger: 'ALERT', reason: 'It is otherwise.' });
  });

  /** Until its improvement is as wished. */
  const reaches = (adapter: AdapterRow, what: string, holds: (row: ImprovementRow) => boolean, meanwhile = idle) =>
    eventually(
      what,
      async () => {
        await meanwhile();
        const [first] = await kit.of(adapter);
        if (first && holds(first)) return first;
        throw new Error(JSON.stringify(first));
      },
      60_000,
    );
  const idle = () => Promise.resolve();
  const evenly = evenDraws();
  /** Users ask what is rolled out. @returns their answers */
  const ask = async (adapter: AdapterRow) => {
    const ids: string[] = [];
    for (let n = 0; n < 50; n++) {
      const drawn = evenly((unit) =>
        kit.delivery.tests.assign(ws, adapter.name, { unit, requestKey: `${n}`, forceArm: null }),
      );
      if (!drawn) continue;
      const answer = { assignment: drawn.assignment, latencyMs: 100 };
      ids.push(...(await recordAnswers(kit.kit.database, ws, [answer])));
    }
    return ids;
  };

  it('takes what it trained to users by a rollout, whose proposal is its own', async () => {
    const adapter = await kit.adapter({ newRows: 10, rollout: 'QUICK' });
    await kit.said(adapter, 10);
    await look();
    const row = await reaches(adapter, 'its rollout', ({ rolloutId }) => rolloutId !== null);
    const proposed = await reaches(
      adapter,
      'its end',
      ({ outcome }) => outcome !== null,
      async () => void (await ask(adapter)),
    );
    expect(proposed).toMatchObject({ outcome: 'PROPOSED', rolloutId: row.rolloutId });
    const [proposal] = await kit.delivery.stores.proposals.byIds(ws, [proposed.proposalId!]);
    expect(proposal).toMatchObject({ status: 'OPEN', rolloutId: row.rolloutId });
  });

  it('approves no rollout that could hardly have seen a loss, before enough is judged', async () => {
    const adapter = await kit.adapter({ newRows: 10, rollout: 'QUICK', autoApprove: true });
    await kit.said(adapter, 10);
    await look();
    await reaches(adapter, 'its rollout', ({ rolloutId }) => rolloutId !== null);
    const { runId, proposalId } = await reaches(
      adapter,
      'its proposal',
      (row) => row.proposalId !== null,
      async () => void (await ask(adapter)),
    );
    const run = () => kit.kit.database.prisma.run.findFirstOrThrow({ where: { id: runId } });
    await eventually('it says what it waits for', async () => /could not have been seen/.test((await run()).message));
    expect(await kit.of(adapter)).toMatchObject([{ outcome: null }]);
    const proposal = async () => (await kit.delivery.stores.proposals.byIds(ws, [proposalId!]))[0];
    expect(await proposal()).toMatchObject({ status: 'OPEN' });
    const judge = async () => {
      const source = { kind: 'HUMAN' as const, name: newId() };
      const said = (await ask(adapter)).map((answerId) => ({ answerId, kind: 'FEEDBACK' as const, source, score: 1 }));
      // Nothing is drawn any more once it has ended.
      if (said.length > 0) await kit.feedback.submit({ workspaceId: ws, key: null }, said);
    };
    const row = await reaches(adapter, 'its end', ({ outcome }) => outcome !== null, judge);
    expect(row).toMatchObject({ outcome: 'PROMOTED' });
    expect(await proposal()).toMatchObject({
      status: 'APPROVED',
      reason: expect.stringMatching(/10 points/) as string,
    });
  }, 120_000);

  it('lets what it trained answer unseen first, and users meet it once people have judged where both differ', async () => {
    kit.candidate.behaves = () => labelled('billing');
    const [worse, better] = [await kit.adapter({ rollout: 'STANDARD' }), await kit.adapter({ rollout: 'STANDARD' })];
    const { prisma } = kit.kit.database;
    for (const adapter of [worse, better]) {
      await kit.said(adapter, 10);
      const { runId } = await kit.begin(adapter);
      const found = () => prisma.shadow.findFirst({ where: { adapterId: adapter.id } });
      const shadow = await eventually('its shadow', found);
      await eventually(
        'it is complete',
        async () => {
          await kit.answered(adapter, 20);
          return (await found())!.status === 'COMPLETE';
        },
        60_000,
      );
      const pairs = await prisma.shadowPair.findMany({ where: { shadowId: shadow.id, same: false } });
      expect(pairs.length).toBeGreaterThanOrEqual(200);
      const ids = pairs.map(({ answerId }) => answerId);
      await eventually('they are to be reviewed', async () => {
        const queued = await prisma.reviewItem.count({ where: { answerId: { in: ids } } });
        return queued === pairs.length;
      });
      await eventually('it waits for people', async () => {
        const { message } = await prisma.run.findFirstOrThrow({ where: { id: runId } });
        return /review queue/.test(message);
      });
      expect(await kit.of(adapter)).toMatchObject([{ rolloutId: null, outcome: null }]);
      const label = adapter === worse ? 'light' : 'billing';
      await kit.feedback.submit(
        { workspaceId: ws, key: null },
        ids
          .slice(0, 50)
          .map((answerId) => ({ answerId, kind: 'EXPECTATION' as const, source: ANNA, expectation: { label } })),
      );
    }
    const [row] = await ended(worse, 1);
    expect(row).toMatchObject({
      outcome: 'REFUSED',
      rolloutId: null,
      message: expect.stringMatching(/50 times/) as string,
    });
    const { rolloutId } = await reaches(better, 'its rollout', (each) => each.rolloutId !== null);
    const rollout = await kit.delivery.stores.rollouts.require(ws, rolloutId!);
    expect(rollout.shadowId).not.toBeNull();
  }, 180_000);

  it('puts what people said through the steps that the rows which it extends went through', async () => {
    const adapter = await kit.adapter();
    await kit.said(adapter, 10);
    await kit.begin(adapter);
    const made = await eventually('its dataset version', async () => (await kit.of(adapter))[0]?.datasetVersionId);
    const [version] = await kit.kit.data.store.versionsByIds(ws, [made]);
    expect(version!.manifest.steps).toEqual([PreprocessingStep.WHITESPACE]);
  });

  it('learns lessons that the one before has left behind, instead of finding nothing new', async () => {
    const adapter = await kit.adapter();
    await kit.said(adapter, 12);
    kit.gain = -0.1;
    await kit.begin(adapter);
    await ended(adapter, 1).finally(() => (kit.gain = 0.1));
    await kit.begin(adapter);
    const both = await ended(adapter, 2);
    expect(both.map(({ outcome, newRows }) => ({ outcome, newRows }))).toEqual(
      expect.arrayContaining([
        { outcome: 'REFUSED', newRows: 12 },
        { outcome: 'PROPOSED', newRows: 12 },
      ]),
    );
    // Its dataset holds lessons of others: these are not what people said of its answers.
    const silent = await kit.adapter();
    await kit.begin(silent);
    expect(await ended(silent, 1)).toMatchObject([{ outcome: 'NOTHING_NEW' }]);
  });

  it('learns what was said of an earlier version, where the one that a person brought to production learned none of it', async () => {
    const adapter = await kit.adapter();
    await kit.said(adapter, 12);
    kit.gain = -0.1;
    await kit.begin(adapter);
    await ended(adapter, 1).finally(() => (kit.gain = 0.1));
    const { store } = kit.parts.adapters;
    const first = (await store.resolve(adapter, { alias: 'production' }))!;
    const refused = await kit.kit.database.prisma.adapterVersion.findFirstOrThrow({
      where: { adapterId: adapter.id, id: { not: first.id } },
    });
    await kit.kit.database.prisma.adapterVersion.update({
      where: { id: refused.id },
      data: { datasetVersionId: first.datasetVersionId },
    });
    const move = { by: 'test', reason: 'test', evidence: {} };
    await store.moveAlias(adapter, { ...move, alias: 'production', toVersionId: refused.id }, first.id);
    await kit.begin(adapter);
    expect((await ended(adapter, 2)).at(-1)).toMatchObject({ newRows: 12, outcome: 'PROPOSED' });
  });

  it('whose gate refuses every candidate pauses itself, says so, and works again when it is set', async () => {
    const adapter = await kit.adapter({ mostRefused: 2 });
    kit.gain = -0.1;
    for (const round of [1, 2]) {
      await kit.said(adapter, 10);
      await look();
      expect((await ended(adapter, round)).at(-1)).toMatchObject({ outcome: 'REFUSED' });
    }
    kit.gain = 0.1;
    await eventually('it is paused', async () => (await kit.policy(adapter)).pausedReason !== null);
    expect((await kit.policy(adapter)).pausedReason).toMatch(/refused 2 candidates in a row/);
    await kit.said(adapter, 10);
    await look();
    expect(await kit.of(adapter)).toHaveLength(2);
    await kit.service.setPolicy(ws, adapter.name, {}, 'test');
    await look();
    expect((await ended(adapter, 3)).at(-1)).toMatchObject({ outcome: 'PROPOSED' });
  });

  it('begins nothing through a week without feedback, whatever the calendar says', async () => {
    const adapter = await kit.adapter({ everyDays: 1 });
    for (let day = 0; day <= 7; day++) await look(new Date(Date.now() + day * DAY_MS));
    expect(await kit.of(adapter)).toEqual([]);
  });

  it('begins one at a clock that jumps ahead, and none at one that jumps back', async () => {
    const adapter = await kit.adapter({ newRows: null, everyDays: 30 });
    await kit.said(adapter, 6);
    await look(new Date(Date.now() - 365 * DAY_MS));
    await look();
    expect(await kit.of(adapter)).toEqual([]);
    const ahead = new Date(Date.now() + 365 * DAY_MS);
    await Promise.all([look(ahead), look(ahead)]);
    expect((await ended(adapter, 1))[0]).toMatchObject({ trigger: 'CALENDAR', outcome: 'PROPOSED' });
    await look(new Date(ahead.getTime() + 365 * DAY_MS));
    await look(new Date(Date.now() - 365 * DAY_MS));
    expect(await kit.of(adapter)).toHaveLength(1);
  });

  it('of an adapter that is improved already begins nothing, and a person is told to wait', async () => {
    const adapter = await kit.adapter({ newRows: 10, trainingHoursADay: 0.001 });
    await kit.said(adapter, 10);
    const first = await kit.begin(adapter);
    await expect(kit.begin(adapter)).rejects.toMatchObject({ code: 'CONFLICT' });
    await look();
    expect((await kit.of(adapter)).map(({ id }) => id)).toEqual([first.id]);
    await ended(adapter, 1);
  });
});
