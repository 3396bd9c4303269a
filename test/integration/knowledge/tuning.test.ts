import { graphql } from 'graphql';
import { toGlobalId } from '../../../src/kit/graphql/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { retrievalTuning } from '../../../src/sources/knowledge/tuning/tuning-run.js';
import { startKnowledge, type Knowledge } from './harness.js';

const PARTS = ['valve', 'rotor', 'gasket', 'filter', 'sensor'];
const PLACES = ['cellar', 'garden', 'tower', 'kitchen', 'workshop', 'harbour'];
/** Thirty documents that say the same of different things: a code that only words find, among sentences of one form. */
const DOCUMENTS = PARTS.flatMap((part, i) =>
  PLACES.map((place, j) => ({
    name: `${part}-${place}.txt`,
    text: `The ${part} in the ${place} has the order code ZX${i}${j}Q. A worker has to look at the ${part} near the ${place} once every ${3 + i * 6 + j} days of regular use.`,
  })),
);

describe('tuneRetrieval', () => {
  let knowledge: Knowledge;
  beforeAll(async () => {
    knowledge = await startKnowledge();
    await knowledge.collection('parts', { denseWeight: 1 });
    await knowledge.ingest('parts', DOCUMENTS);
  }, 180_000);
  afterAll(() => knowledge.stop());

  const ask = async (source: string, variableValues: Record<string, unknown>) => {
    const contextValue = knowledge.context();
    const { data, errors } = await graphql({ schema: knowledge.schema, source, variableValues, contextValue });
    if (errors) throw errors[0]?.originalError ?? errors[0]!;
    return data as Record<string, never>;
  };
  const tune = (input: object) =>
    ask('mutation ($input: TuneRetrievalInput!) { tuneRetrieval(input: $input) { run { id } } }', {
      input: { collection: 'parts', idempotencyKey: newId(), ...input },
    });
  const tuned = async (input: object) => {
    await tune(input);
    const [run] = await knowledge.database.prisma.run.findMany({
      where: { kind: retrievalTuning.kind },
      orderBy: { id: 'desc' },
      take: 1,
    });
    return knowledge.finished(run!);
  };
  const weight = async () => (await knowledge.stores.collections.get(knowledge.workspaceId, 'parts'))!.denseWeight;
  const questions = DOCUMENTS.map(({ name, text }) => ({
    question: `What is ${/ZX\w+/.exec(text)![0]}?`,
    document: name,
  }));

  it('gives words their weight where labelled questions are answered by words, and says what each weight gave', async () => {
    const run = await tuned({ questions });
    expect(run).toMatchObject({ status: 'SUCCEEDED', progress: 1 });
    const { node } = await ask(
      'query ($id: ID!) { node(id: $id) { ... on RetrievalTuningRun { collection { name denseWeight } result { source questions before denseWeight tried { denseWeight chosenOn heldOut } } } } }',
      { id: toGlobalId('RetrievalTuningRun', run.id) },
    );
    const { result, collection } = node as unknown as {
      collection: object;
      result: { denseWeight: number; tried: { denseWeight: number; chosenOn: number; heldOut: number }[] };
    };
    expect(result).toMatchObject({ source: 'LABELLED', questions: 30, before: 1 });
    expect(result.denseWeight).toBeLessThan(1);
    expect(collection).toEqual({ name: 'parts', denseWeight: result.denseWeight });
    const at = (denseWeight: number) => result.tried.find((each) => each.denseWeight === denseWeight)!;
    expect(result.tried).toHaveLength(11);
    expect(at(result.denseWeight).heldOut).toBeGreaterThan(at(1).heldOut);
  });

  it('makes questions of the collection’s own passages where none are sent, and the same seed the same ones', async () => {
    const first = await tuned({ sample: 30 });
    expect(first).toMatchObject({ status: 'SUCCEEDED', output: { source: 'CLOZE', questions: 30 } });
    const output = retrievalTuning.outputOf(first)!;
    expect(await weight()).toBe(output.denseWeight);
    const again = retrievalTuning.outputOf(await tuned({ sample: 30 }))!;
    const figures = (each: typeof output) => each.tried.filter(({ denseWeight }) => (denseWeight * 10) % 1 === 0);
    expect(figures(again)).toEqual(figures(output));
  });

  it('keeps no text of a document with the run', async () => {
    const quote = 'the order code ZX00Q';
    const run = await tuned({ questions: questions.map((each, i) => (i === 0 ? { ...each, quote } : each)) });
    expect(JSON.stringify(run.input)).not.toContain(quote);
  });

  it('refuses labels that fit nothing, too few questions, and a collection without enough to ask about', async () => {
    const wrong = (label: object) =>
      tune({ questions: questions.map((each, i) => (i === 3 ? { ...each, ...label } : each)) });
    await expect(wrong({ document: 'nowhere.txt' })).rejects.toMatchObject({ field: 'input.questions.3.document' });
    await expect(wrong({ quote: 'Nobody said so.' })).rejects.toMatchObject({ field: 'input.questions.3.quote' });
    await expect(tune({ questions: questions.slice(0, 5) })).rejects.toMatchObject({ field: 'input.questions' });
    await knowledge.collection('small');
    await knowledge.ingest('small', DOCUMENTS.slice(0, 3));
    const before = await weight();
    expect(await tuned({ collection: 'small' })).toMatchObject({ status: 'FAILED', errorCode: 'CONFLICT' });
    expect(await weight()).toBe(before);
  });
});
