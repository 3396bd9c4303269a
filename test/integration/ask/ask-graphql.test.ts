import { graphql, parse, subscribe, validate, type ExecutionResult } from 'graphql';
import pg from 'pg';
import { createGraphContext, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { freshWorkspace } from '../../support/chroma.js';
import { eventually } from '../../support/eventually.js';
import { DOCUMENTS, startAnswering, type Answering } from './answering.js';

interface Quoted {
  quote: string;
  start: number;
  end: number;
  document: { name: string; text: string } | null;
  chunk: { text: string; start: number } | null;
}
interface Answered {
  id: string;
  text: string;
  output: { __typename: string; text: string };
  abstained: boolean;
  evidence: Quoted[];
  citations: (Quoted & { support: number; scores: { fused: number } })[];
  model: { sha256: string; model: { name: string } };
  modelDigest: string;
  passages: { used: boolean; chunk: { text: string } | null }[];
  configuration: { digest: string; values: { strategy: string } };
}

const QUOTED = 'quote start end page headings documentName collectionName document { name text } chunk { text start }';
const ANSWER = `
  id question text output { __typename ... on TextOutput { text } } wording finishReason conflicts { kind quotes { value quote documentName document { name } } } abstained abstention { reason sentence probability threshold }
  evidence { ${QUOTED} score coverage similarity scores { dense lexical fused denseRank lexicalRank } }
  citations { ${QUOTED} support scores { fused } }
  route { strategy chosenBy candidates { strategy available probability expectedMs } reasons { feature value contribution sentence } }
  model { sha256 model { name } } modelDigest passages { documentName used reason chunk { text } }
  usage { promptTokens reusedTokens generatedTokens } stages { name ms } cost { computeMs computedTokens }
  configuration { digest values } features { view entity values eventTime } requestId conversationId createdAt`;
const ASK = `query ($input: AskInput!) { ask(input: $input) { ${ANSWER} } }`;
const STREAM = `subscription ($input: AskInput!) { askStream(input: $input) {
  __typename
  ... on RouteChosen { route { strategy } }
  ... on PassagesRetrieved { degraded passages { documentName chunk { id text } document { name } scores { fused } coverage } }
  ... on TextDelta { text }
  ... on TextReplaced { text reason }
  ... on AnswerReady { answer { ${ANSWER} } } } }`;
const RMA = 'How long is an RMA number valid?';

describe('asking over GraphQL', () => {
  let answering: Answering;

  beforeAll(async () => {
    answering = await startAnswering();
    await answering.collection('manual');
    await answering.ingest('manual', DOCUMENTS);
  }, 120_000);
  afterAll(() => answering.stop());

  const context = (workspaceId: WorkspaceId = answering.workspaceId, signal = new AbortController().signal) =>
    createGraphContext(localCaller(workspaceId), 'test', { signal });
  const send = async <Data>(source: string, variableValues = {}, workspaceId?: WorkspaceId): Promise<Data> => {
    const { schema } = answering;
    const result = await graphql({ schema, source, variableValues, contextValue: context(workspaceId) });
    if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0]!;
    return JSON.parse(JSON.stringify(result.data)) as Data;
  };
  const ask = async (input: object): Promise<Answered> => (await send<{ ask: Answered }>(ASK, { input })).ask;

  it('gives the whole answer, with every edge', async () => {
    const answer = await ask({ question: RMA });
    expect(answer.output).toEqual({ __typename: 'TextOutput', text: answer.text });
    expect(answer.text).toContain('21 days');
    for (const { quote, start, end, document, chunk } of [...answer.evidence, ...answer.citations]) {
      expect(document!.text.slice(start, end)).toBe(quote);
      expect(chunk!.text.slice(start - chunk!.start, end - chunk!.start)).toBe(quote);
    }
    expect(answer.model).toEqual({ sha256: answer.modelDigest, model: { name: 'smollm2-135m-instruct' } });
    expect(answer.passages.some(({ used, chunk }) => used && chunk!.text.includes('21 days'))).toBe(true);
    expect(answer.configuration.values).toMatchObject({
      strategy: 'RAG',
      generation: { maxTokens: 96, temperature: 0 },
    });
  });

  it('tells of the stages in their order, and ends with the answer', async () => {
    const document = parse(STREAM);
    expect(validate(answering.schema, document)).toEqual([]);
    const input = { question: RMA };
    const stream = await subscribe({
      schema: answering.schema,
      document,
      contextValue: context(),
      variableValues: { input },
    });
    const events: Record<string, unknown>[] = [];
    for await (const { data, errors } of stream as AsyncIterable<ExecutionResult>) {
      expect(errors).toBeUndefined();
      events.push(data!['askStream'] as Record<string, unknown>);
    }
    const names = events.map(({ __typename }) => __typename as string);
    expect(names.slice(0, 2)).toEqual(['RouteChosen', 'PassagesRetrieved']);
    expect(names.at(-1)).toBe('AnswerReady');
    expect(names.slice(2, -1).every((name) => name === 'TextDelta' || name === 'TextReplaced')).toBe(true);
    const { answer } = events.at(-1) as { answer: Answered };
    const replaced = events.find(({ __typename }) => __typename === 'TextReplaced');
    const said = events.filter(({ __typename }) => __typename === 'TextDelta').map(({ text }) => text as string);
    expect(answer.text).toBe(replaced ? replaced['text'] : said.join(''));
  });

  it('stops the model when the subscriber leaves', async () => {
    const leaving = new AbortController();
    const requestId = newId();
    const stream = (await subscribe({
      schema: answering.schema,
      document: parse(STREAM),
      contextValue: context(answering.workspaceId, leaving.signal),
      variableValues: {
        input: { question: 'Write a very long story.', strategy: 'BASE', requestId, generation: { maxTokens: 512 } },
      },
    })) as AsyncGenerator<ExecutionResult>;
    for (;;) {
      const { value } = await stream.next();
      const event = (value as ExecutionResult).data!['askStream'] as { __typename: string };
      if (event.__typename === 'TextDelta') break;
    }
    leaving.abort();
    await stream.return(undefined);
    await eventually('the record', async () => (await answering.row(requestId))?.status === 'CANCELLED');
    expect(answering.generations.at(-1)!.ended).toBe(true);
  });

  it('finds answers again: by id, as nodes, in lists; and not those of others', async () => {
    const { id, text } = await ask({ question: RMA, conversationId: 'talk' });
    const ANSWER_BY_ID = 'query ($id: ID!) { answer(id: $id) { id text } }';
    expect(await send(ANSWER_BY_ID, { id })).toEqual({ answer: { id, text } });
    expect(await answering.nodes.fetch(context(), id)).toMatchObject({ id, text });
    const LIST = 'query ($filter: AnswerFilter) { answers(filter: $filter, first: 1) { edges { node { id } } } }';
    expect(await send(LIST, { filter: { conversationId: 'talk' } })).toEqual({
      answers: { edges: [{ node: { id } }] },
    });
    const other = freshWorkspace();
    expect(await send(ANSWER_BY_ID, { id }, other)).toEqual({ answer: null });
    expect(await send(LIST, {}, other)).toEqual({ answers: { edges: [] } });
    expect(await send(ANSWER_BY_ID, { id: toGlobalId('Answer', newId()) })).toEqual({ answer: null });
    await expect(send(ANSWER_BY_ID, { id: toGlobalId('Chunk', newId()) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'id',
    });
  });

  it('deletes answers by id or by conversation, and none of others', async () => {
    const DELETE = 'mutation ($input: DeleteAnswersInput!) { deleteAnswers(input: $input) { deleted } }';
    const { id } = await ask({ question: RMA, conversationId: 'brief' });
    await ask({ question: RMA, conversationId: 'brief' });
    const deleted = (input: object, workspaceId?: WorkspaceId) => send(DELETE, { input }, workspaceId);
    expect(await deleted({ ids: [id] }, freshWorkspace())).toEqual({ deleteAnswers: { deleted: 0 } });
    expect(await deleted({ ids: [id] })).toEqual({ deleteAnswers: { deleted: 1 } });
    expect(await deleted({ conversationId: 'brief' })).toEqual({ deleteAnswers: { deleted: 1 } });
    await expect(deleted({})).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('reads answers with their edges in a fixed number of statements', async () => {
    for (const question of [RMA, 'At what wind speed are the roof vents shut?', 'When is the battery swapped?'])
      await ask({ question, conversationId: 'many', generation: { maxTokens: 2 } });
    const LIST = `{ answers(filter: { conversationId: "many" }) { edges { node {
      model { model { name } } evidence { document { name } chunk { text } } citations { document { name } chunk { text } } } } } }`;
    const spy = jest.spyOn(pg.Client.prototype, 'query');
    const count = async (): Promise<number> => {
      spy.mockClear();
      await send(LIST);
      // The run queue polls meanwhile.
      return spy.mock.calls
        .map(([statement]) => (typeof statement === 'string' ? statement : (statement as { text: string }).text))
        .filter((text) => /\b(answer|document|chunk|model_variant|base_model)\b/.test(text) && !/\brun\b/.test(text))
        .length;
    };
    const three = await count();
    await ask({ question: 'When does the red stop button act?', conversationId: 'many', generation: { maxTokens: 2 } });
    // answers, their documents, chunks (and whether their documents live), variants with their models, models
    expect([three, await count()]).toEqual([6, 6]);
    spy.mockRestore();
  });

  it.each([
    ['an empty question', { question: ' ' }, 'BAD_USER_INPUT', 'input.question'],
    ['NUL', { question: 'a\0b' }, 'BAD_USER_INPUT', 'input.question'],
    ['a lone surrogate', { question: 'a\udc00b' }, 'BAD_USER_INPUT', 'input.question'],
    ['too many characters', { question: 'x'.repeat(9_000) }, 'QUESTION_TOO_LONG', 'input.question'],
    ['an unknown collection', { question: RMA, collections: ['none'] }, 'NOT_FOUND', 'input.collections'],
    ['no adapter', { question: RMA, strategy: 'ADAPTER' }, 'BAD_USER_INPUT', 'input.adapter'],
    ['an unknown adapter', { question: RMA, strategy: 'ADAPTER', adapter: 'a' }, 'NOT_FOUND', 'input.adapter'],
    ['an unknown model', { question: RMA, strategy: 'BASE', model: 'm@Q4_0' }, 'NOT_FOUND', 'input.model'],
    [
      'too many tokens',
      { question: RMA, generation: { maxTokens: 513 } },
      'BAD_USER_INPUT',
      'input.generation.maxTokens',
    ],
    ['an empty request id', { question: RMA, requestId: '' }, 'BAD_USER_INPUT', 'input.requestId'],
  ])('refuses %s, the same in query and subscription', async (_, input, code, field) => {
    await expect(ask(input)).rejects.toMatchObject({ code, field });
    const document = parse(STREAM);
    const stream = await subscribe({
      schema: answering.schema,
      document,
      contextValue: context(),
      variableValues: { input },
    });
    const first =
      Symbol.asyncIterator in stream
        ? ((await stream.next().catch((error: unknown) => ({ value: { errors: [error] } }))).value as ExecutionResult)
        : stream;
    const error = first.errors![0]!;
    expect(error.originalError ?? error).toMatchObject({ code, field });
  });
});
