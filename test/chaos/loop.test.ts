import {
  DecideProposalDocument,
  SetRetrainingPolicyDocument,
  TaughtByDocument,
  TaughtDocument,
} from '../../src/client/operations/index.js';
import { ADAPTER, EXCHANGED, LABELS, LoopProgram, message } from '../support/loop-program.js';

describe('the loop through GraphQL alone', () => {
  let graft: LoopProgram;
  beforeAll(async () => {
    graft = await LoopProgram.start();
    await graft.putIntoProduction();
  }, 400_000);
  afterAll(() => graft.stop());

  it('leads from what people say to a version in production, though the gateway is killed on the way, and can be walked both ways', async () => {
    const answers = await graft.askAbout(12);
    expect(answers.filter(({ text, topic }) => text === topic).length).toBeGreaterThan(0.9 * answers.length);
    await graft.correct(answers);

    await graft.client.request(SetRetrainingPolicyDocument, {
      input: { adapter: ADAPTER, leastRows: 20, newRows: 40, onAlert: false, rollout: 'QUICK' },
    });
    const { id, trigger } = await graft.begun();
    expect(trigger).toBe('NEW_ROWS');
    // Rows change their labels by a person's word alone: until then the loop waits.
    expect(await graft.confirmMoves()).toEqual({ light: 'return', return: 'light' });
    await graft.reaches(id, 'a training under way', ({ trainingRuns }) =>
      trainingRuns.some(({ status }) => status === 'RUNNING'),
    );
    await graft.killAndRestart();
    await graft.reaches(id, 'an evaluation', ({ evaluationRuns }) => evaluationRuns.length > 0);
    await graft.killAndRestart();
    await graft.reaches(id, 'a rollout', ({ rollout }) => rollout !== null);
    await graft.askAbout(4);
    await graft.killAndRestart();
    const proposed = await graft.asksUntil(id, 'its end', ({ outcome }) => outcome === 'PROPOSED');
    expect(proposed).toMatchObject({
      stage: 'ENDED',
      waitingFor: 'A person approves or rejects its proposal.',
      rollout: { status: 'RUNNING' },
      trainingRuns: [{ status: 'SUCCEEDED' }],
      evaluationRuns: [{ status: 'SUCCEEDED' }],
      production: { version: 1 },
      adapterVersion: { version: 2, aliases: ['CANDIDATE'] },
    });
    expect(proposed.cost.newRows).toBe(answers.length);

    await graft.client.request(DecideProposalDocument, {
      input: { proposal: proposed.proposal!.id, approve: true, reason: 'Looked at the evidence.' },
    });
    // With the decision, not some time behind it: who is killed right then has lost none of it.
    await graft.killAndRestart();
    expect(await graft.improvement(id)).toMatchObject({
      rollout: { status: 'COMPLETED' },
      proposal: { status: 'APPROVED' },
      adapterVersion: { version: 2, aliases: expect.arrayContaining(['PRODUCTION']) as unknown },
    });
    const now = new Map<string, Awaited<ReturnType<LoopProgram['ask']>>>();
    for (const [n, topic] of LABELS.entries()) now.set(topic, await graft.ask(message(topic, 5_000 + n)));
    expect(Object.fromEntries([...now].map(([topic, { text }]) => [topic, text]))).toEqual(EXCHANGED);

    const asked = now.get('light')!;
    const { answer: back } = await graft.client.request(TaughtByDocument, { answer: asked.id, first: 100 });
    expect(back!.adapter).toMatchObject({ name: ADAPTER, versionNumber: 2 });
    const { trainedBy } = back!.adapter!.version!;
    expect(trainedBy!.id).toBe(proposed.trainingRuns[0]!.id);
    expect(trainedBy!.datasetVersion!.id).toBe(proposed.datasetVersion!.id);
    const lessons = trainedBy!.datasetVersion!.lessons.edges.map(({ node }) => node);
    expect(lessons.map(({ answer }) => answer!.id).sort()).toEqual(answers.map((each) => each.id).sort());
    const [first] = answers;
    const lesson = lessons.find(({ answer }) => answer!.id === first!.id)!;
    expect(lesson).toMatchObject({
      basis: 'DEMONSTRATED',
      feedback: [{ kind: 'EXPECTATION', source: { kind: 'HUMAN', name: 'anna' }, expectation: { label: 'return' } }],
    });

    const { answer: taught } = await graft.client.request(TaughtDocument, { answer: first!.id });
    expect(taught!.taught).toMatchObject([
      {
        id: proposed.datasetVersion!.id,
        improvements: [
          { id, adapterVersion: { version: 2, aliases: expect.arrayContaining(['PRODUCTION']) as unknown } },
        ],
        adapterVersions: [{ version: 2 }],
      },
      // Made before a person had said that labels have moved: nothing learned from it.
      { improvements: [], adapterVersions: [] },
    ]);
    const learners = taught!.taught[0]!.adapterVersions;
    expect(learners[0]!.answers.edges.map(({ node }) => node.id)).toContain(asked.id);
  }, 600_000);
});
