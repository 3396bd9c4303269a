import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AS_ASKED,
  AskService,
  type Arm,
  type Asker,
  type AskInput,
  type Assigner,
  type Assignment,
} from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { PROOF } from '../../support/attestation.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { forever, RMA, startReading, type Answering } from './answering.js';
import { addReader } from './tiny-reader.js';

jest.setTimeout(240_000);

const SUBJECT = newId();

/** Draws what it is told to, and remembers what it was asked. */
class Told implements Assigner {
  readonly asked: { adapter: string | null; asker: Asker }[] = [];
  constructor(
    private readonly adapter: string | null | undefined,
    private readonly change: Partial<Arm> = {},
    private readonly said: Partial<Assignment> = {},
  ) {}

  assign(_: unknown, adapter: string | null, asker: Asker) {
    this.asked.push({ adapter, asker });
    if (adapter !== this.adapter) return null;
    const assignment = {
      kind: 'ROLLOUT' as const,
      subjectId: SUBJECT,
      arm: 'candidate',
      stage: 2,
      bucket: 0.125,
      probability: 0.25,
      forced: false,
      unitHash: 'ab',
      ...this.said,
    };
    return { assignment, change: { ...AS_ASKED, ...this.change } };
  }
}

describe('a question that is drawn into an arm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-drawn-'));
  const tiny = writeTinyModel(join(folder, 'tiny.gguf'));
  let answering: Answering;

  beforeAll(async () => {
    answering = await startReading();
    const { adapters, workspaceId } = answering;
    for (let version = 1; version <= 2; version++)
      await addReader(answering, { folder, tiny, seed: version }, 'teller', {
        usage: { reads: false },
        task: 'INSTRUCTION',
      });
    const adapter = await adapters.require(workspaceId, 'teller');
    const first = (await adapters.store.resolve(adapter, { version: 1 }))!;
    await adapters.attest(first, PROOF);
    const move = { alias: 'production', toVersionId: first.id, by: 'op', reason: 'first', evidence: {} } as const;
    await adapters.store.moveAlias(adapter, move, null);
  });
  afterAll(async () => {
    await answering.stop();
    rmSync(folder, { recursive: true });
  });

  /** A gateway of the tiny model whose questions are drawn. */
  function gateway(assigner: Assigner | null): AskService {
    const service = answering.withVariant(tiny);
    if (assigner) service.assignBy(assigner);
    return service;
  }
  const telling: AskInput = {
    question: 'Tell of the lighthouse.',
    strategy: 'ADAPTER',
    adapter: 'teller',
    model: 'tiny',
    generation: { maxTokens: 12 },
  };
  const columns = async (id: string) => (await answering.database.prisma.answer.findFirst({ where: { id } }))!;

  it('is answered by the version that the arm names, and says so in its route, its record and its columns', async () => {
    const service = gateway(new Told('teller', { adapter: 'teller@2' }));
    const answer = await service.ask(answering.caller, { ...telling, unit: 'customer-7' }, forever);
    expect(answer.adapter?.version).toBe(2);
    expect(answer.route.chosenBy).toBe('ROLLOUT');
    expect(answer.route.reasons[0]).toMatchObject({ feature: 'rollout.arm', value: 0.25 });
    expect(await service.answersById(answering.caller, [answer.id])).toEqual([answer]);
    const row = await columns(answer.id);
    expect(row).toMatchObject({
      assignmentKind: 'ROLLOUT',
      assignmentSubject: SUBJECT,
      assignmentArm: 'candidate',
      assignmentStage: 2,
      assignmentBucket: 0.125,
      assignmentProbability: 0.25,
      assignmentForced: false,
      unitHash: 'ab',
    });
    expect(row.assignmentSequence).not.toBeNull();
    expect(row.latencyMs).toBeGreaterThan(0);
    expect(
      JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('customer-7');
  });

  it('is answered as by production, bit for bit, outside of the test and in an arm that changes nothing', async () => {
    const direct = await gateway(null).ask(answering.caller, telling, forever);
    for (const assigner of [new Told(undefined), new Told('teller')]) {
      const answer = await gateway(assigner).ask(answering.caller, telling, forever);
      expect(answer.configuration).toEqual(direct.configuration);
      expect(answer.text).toBe(direct.text);
      const { strategy, chosenBy } = direct.route;
      expect(answer.route).toMatchObject({ strategy, chosenBy });
    }
    expect(direct.assignment).toBeNull();
    expect((await columns(direct.id)).assignmentSequence).toBeNull();
  });

  it('is not drawn when it names a version itself, nor by answerAll or a trial', async () => {
    const told = new Told('teller', { adapter: 'teller@2' });
    const service = gateway(told);
    const named = await service.ask(answering.caller, { ...telling, adapter: 'teller@1' }, forever);
    expect([named.adapter?.version, named.assignment]).toEqual([1, null]);
    const tried = await service.tryOut(answering.caller, telling, forever);
    expect([tried.adapter?.version, tried.assignment]).toEqual([1, null]);
    const all = await service.askAll(answering.caller, { ...telling, strategy: null }, forever);
    expect(all.map(({ assignment }) => assignment)).toEqual([null, null, null, null]);
    expect(told.asked).toEqual([]);
  });

  it('draws equal requests without a unit alike, and others anew', async () => {
    const told = new Told(undefined);
    const service = gateway(told);
    const requestId = newId();
    await service.ask(answering.caller, { ...telling, requestId }, forever);
    await service.ask(answering.caller, telling, forever);
    await service.ask(answering.caller, telling, forever);
    const keys = told.asked.map(({ asker }) => asker.requestKey);
    expect(keys[0]).toBe(requestId);
    expect(new Set(keys).size).toBe(3);
    expect(told.asked.every(({ asker }) => asker.unit === null)).toBe(true);
  });

  it('refuses a unit of 10,000 characters and an arm that nobody has', async () => {
    const ask = (input: object) =>
      gateway(new Told(undefined)).ask(answering.caller, { ...telling, ...input }, forever);
    await expect(ask({ unit: 'u'.repeat(10_000) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.unit',
    });
    await expect(ask({ unit: 'u'.repeat(200) })).resolves.toBeDefined();
    await expect(ask({ forceArm: 'nobody' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.forceArm',
    });
  });

  it('counts for nothing when a tester forced it', async () => {
    const service = gateway(new Told('teller', { adapter: 'teller@2' }, { forced: true, probability: 1 }));
    const { id } = await service.ask(answering.caller, { ...telling, forceArm: 'candidate' }, forever);
    expect(await columns(id)).toMatchObject({ assignmentForced: true, assignmentSequence: null });
  });

  it('carries its arm and what was to answer when it fails, with a request id and without', async () => {
    const failing: Assigner = new Told('teller', { generation: { maxTokens: 3 } });
    const worker = {
      ...answering.parts.worker,
      status: answering.parts.worker.status,
      generate: () => {
        throw new Error('the candidate throws');
      },
    };
    const service = new AskService({ ...answering.parts, worker });
    service.assignBy(failing);
    const { model: _, ...input } = telling;
    const conversationId = newId();
    for (const requestId of [newId(), null])
      await expect(service.ask(answering.caller, { ...input, conversationId, requestId }, forever)).rejects.toThrow(
        'the candidate throws',
      );
    const rows = await answering.database.prisma.answer.findMany({ where: { conversationId } });
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatchObject({ status: 'FAILED', assignmentArm: 'candidate', assignmentSubject: SUBJECT });
      expect(row).toMatchObject({ strategy: 'ADAPTER', variantId: expect.any(String) });
      expect(row.body).toMatchObject({ variant: { id: row.variantId }, adapter: { versionId: row.adapterVersionId } });
      expect(row.adapterVersionId).not.toBeNull();
      expect(row.assignmentSequence).not.toBeNull();
      expect(row.latencyMs).not.toBeNull();
    }
  });

  it('is answered by production where the version of its arm is gone, and is then in no arm', async () => {
    const service = gateway(new Told('teller', { adapter: 'teller@9' }));
    const answer = await service.ask(answering.caller, telling, forever);
    expect([answer.adapter?.version, answer.assignment]).toEqual([1, null]);
    const forced = gateway(new Told('teller', { adapter: 'teller@9' }, { forced: true }));
    await expect(forced.ask(answering.caller, telling, forever)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('has the strategy, the words’ weight and the writing of an arm whose question left all open', async () => {
    const asked = { question: RMA };
    const change = { strategy: 'RAG', denseWeight: 0, generation: { maxTokens: 7 } } as const;
    const service = new AskService(answering.parts);
    service.assignBy(new Told(null, change, { kind: 'EXPERIMENT', arm: 'words' }));
    const answer = await service.ask(answering.caller, asked, forever);
    expect(answer.route).toMatchObject({ strategy: 'RAG', chosenBy: 'EXPERIMENT' });
    expect(answer.configuration.values).toMatchObject({
      retrieval: { denseWeight: 0 },
      generation: { maxTokens: 7 },
    });
    const based = new AskService(answering.parts);
    based.assignBy(new Told(null, { strategy: 'BASE' }, { kind: 'EXPERIMENT' }));
    expect((await based.ask(answering.caller, { ...asked, generation: { maxTokens: 4 } }, forever)).evidence).toEqual(
      [],
    );
  });
});
