import { graphql, type GraphQLSchema } from 'graphql';
import pg from 'pg';
import { askDomain, AnswerStore, AskService } from '../../../src/answer/ask/index.js';
import { DatasetStore } from '../../../src/sources/data/datasets/dataset-store.js';
import { feedbackDomain, FeedbackService, FeedbackStore } from '../../../src/learn/feedback/index.js';
import { QualityStore } from '../../../src/learn/feedback/quality/quality-store.js';
import { buildGraphSchema } from '../../../src/server/graphql/schema.js';
import { createGraphContext, makeResolvers, NodeRegistry, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { DocumentStore } from '../../../src/sources/knowledge/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { recordAnswers } from '../../support/recorded-answers.js';

describe('feedback over GraphQL', () => {
  let database: TestDatabase;
  let schema: GraphQLSchema;
  const nodes = new NodeRegistry();
  beforeAll(async () => {
    database = await testDatabase();
    const answers = new AnswerStore(database);
    const documents = new DocumentStore(database);
    const asking = new AskService({ answers } as never);
    const feedback = new FeedbackService({
      store: new FeedbackStore(database, answers),
      answers,
      documents,
      datasets: new DatasetStore(database),
    });
    const quality = new QualityStore(database);
    const parts = { feedback, quality, asking, service: asking, stores: { documents } } as never;
    schema = buildGraphSchema([
      ...makeResolvers(askDomain, parts, nodes),
      ...makeResolvers(feedbackDomain, parts, nodes),
    ]);
  });
  afterAll(() => database.dispose());

  const context = () => createGraphContext(localCaller(workspaceId), 'test', new AbortController());
  const send = async <Data>(source: string, variableValues = {}): Promise<Data> => {
    const result = await graphql({ schema, source, variableValues, contextValue: context() });
    if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0]!;
    return JSON.parse(JSON.stringify(result.data)) as Data;
  };
  const SUBMIT = `mutation ($input: SubmitFeedbackInput!) { submitFeedback(input: $input) {
    created feedback { id score agrees source { kind name } answer { text } overrides { score } } } }`;
  const idOf = (rowId: string) => toGlobalId('Answer', rowId);
  const anna = { kind: 'HUMAN', name: 'anna' };

  it('is given, replaced, and read from the answer and as a node', async () => {
    const [rowId] = await recordAnswers(database, workspaceId, [{ text: 'Monday' }]);
    const answer = idOf(rowId!);
    await send(SUBMIT, { input: { answer, source: anna, score: -1 } });
    const { submitFeedback } = await send<{ submitFeedback: { feedback: { id: string } } }>(SUBMIT, {
      input: { answer, source: anna, score: 1 },
    });
    expect(submitFeedback).toMatchObject({
      created: true,
      feedback: { score: 1, agrees: true, source: anna, answer: { text: 'Monday' }, overrides: { score: -1 } },
    });
    const { id } = submitFeedback.feedback;
    expect(await send('query ($id: ID!) { answer(id: $id) { feedback { id } } }', { id: answer })).toEqual({
      answer: { feedback: [{ id }] },
    });
    expect(await nodes.fetch(context(), id)).toMatchObject({ id });
  });

  it('says how many reviews are wanted before the quality of production is known', async () => {
    await recordAnswers(database, workspaceId, [{ text: 'Monday' }]);
    const { productionQuality } = await send<{ productionQuality: object }>(
      '{ productionQuality { share low high reviewed wanted answers others } }',
    );
    expect(productionQuality).toMatchObject({
      share: null,
      low: null,
      high: null,
      reviewed: 0,
      wanted: 10,
      answers: 0,
    });
    await expect(
      send('{ productionQuality(from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z") { share } }'),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'to' });
  });

  it('names the place of what is wrong in a batch', async () => {
    const [rowId] = await recordAnswers(database, workspaceId, [{}]);
    const BATCH = `mutation ($input: SubmitFeedbackBatchInput!) { submitFeedbackBatch(input: $input) { created } }`;
    const feedback = [
      { answer: idOf(rowId!), source: anna, score: 1 },
      { answer: idOf(newId()), source: anna, score: 1 },
    ];
    await expect(send(BATCH, { input: { feedback } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.feedback.1.answer',
    });
    await expect(
      send(BATCH, { input: { feedback: [{ ...feedback[0], answer: toGlobalId('Chunk', newId()) }] } }),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.feedback.0.answer' });
    expect(await send(BATCH, { input: { feedback: [feedback[0]] } })).toEqual({ submitFeedbackBatch: { created: 1 } });
  });

  it('is read for any number of answers in a fixed number of statements', async () => {
    await database.prisma.answer.deleteMany();
    const count = async (answers: number): Promise<number> => {
      for (const rowId of await recordAnswers(
        database,
        workspaceId,
        Array.from({ length: answers }, () => ({})),
      ))
        for (const score of [-1, 1]) await send(SUBMIT, { input: { answer: idOf(rowId), source: anna, score } });
      const spy = jest.spyOn(pg.Client.prototype, 'query');
      await send('{ answers { edges { node { feedback { score answer { id } overrides { score } } } } } }');
      const { length } = spy.mock.calls;
      spy.mockRestore();
      return length;
    };
    // answers, their feedback, its answers, what it overrides
    expect([await count(2), await count(5)]).toEqual([4, 4]);
  });
});
