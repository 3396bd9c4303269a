import { execute, parse } from 'graphql';
import { createGraphContext, toGlobalId } from '../../../src/kit/graphql/index.js';
import type { Caller, Groups } from '../../../src/kernel/caller.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId, type Uuid } from '../../../src/kernel/ids.js';
import { forever, startAnswering, type Answering } from './answering.js';

const SALARY = 'What does the Orlo team lead earn?';
const SECRET = 'The Orlo team lead earns 7,312 crowns a month.';
const OPEN = 'The Orlo pump runs at 37 bar and weighs 12 kg.';

describe('documents with labels', () => {
  let answering: Answering;
  let collection: string;
  beforeAll(async () => {
    answering = await startAnswering();
    collection = (await answering.collection()).name;
    await label(['salaries.txt'], ['people']);
    await answering.ingest(collection, [text('salaries.txt', SECRET), text('pumps.txt', OPEN)]);
  }, 300_000);
  afterAll(() => answering.stop());

  const text = (name: string, content: string) => ({ name, text: content });
  const caller = (groups: Groups): Caller => ({
    ...localCaller(answering.workspaceId),
    role: groups === null ? 'ADMIN' : 'EDIT',
    groups,
  });
  const graphql = async (source: string, groups: Groups, variableValues: Record<string, unknown> = {}) => {
    const contextValue = createGraphContext(caller(groups), 'test', new AbortController());
    return execute({ schema: answering.schema, document: parse(source), variableValues, contextValue });
  };
  const label = async (names: string[], access: string[]) => {
    const { errors } = await graphql(
      'mutation ($input: SetDocumentAccessInput!) { setDocumentAccess(input: $input) { access } }',
      null,
      { input: { collection, names, access } },
    );
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
  };
  const found = async (groups: Groups, mode: 'DENSE' | 'LEXICAL' | 'HYBRID') => {
    const scope = await answering.retriever.scope(answering.workspaceId, [collection], groups);
    const { passages } = await answering.retriever.retrieve({ scope, query: SALARY, mode, limit: 10 });
    return passages.map(({ documentName }) => documentName).sort();
  };
  const ask = (groups: Groups, requestId?: string) =>
    answering
      .saying('It earns 7,312 crowns a month.')
      .ask(
        caller(groups),
        { question: SALARY, collections: [collection], strategy: 'RAG', ...(requestId && { requestId }) } as never,
        forever,
      );

  it('answer through the API whom they are for, and whoever sees all', async () => {
    const asked = async (groups: Groups) => {
      answering.saying('It earns 7,312 crowns a month.');
      const { data, errors } = await graphql(
        'query ($input: AskInput!) { ask(input: $input) { evidence { quote } } }',
        groups,
        { input: { question: SALARY, collections: [collection], strategy: 'RAG' } },
      );
      if (errors) throw errors[0]!.originalError ?? errors[0]!;
      return (data!.ask as { evidence: { quote: string }[] }).evidence.map(({ quote }) => quote);
    };
    expect(await asked(['people'])).toContain(SECRET);
    expect(await asked(null)).toContain(SECRET);
    expect(await asked([])).not.toContain(SECRET);
  });

  it.each(['DENSE', 'LEXICAL', 'HYBRID'] as const)('are found by their groups alone: %s', async (mode) => {
    expect(await found(['people'], mode)).toContain('salaries.txt');
    expect(await found(null, mode)).toContain('salaries.txt');
    expect(await found([], mode)).not.toContain('salaries.txt');
    expect(await found(['pumps'], mode)).not.toContain('salaries.txt');
    if (mode !== 'LEXICAL') expect(await found([], mode)).toEqual(['pumps.txt']);
  });

  it('are filtered before scoring: who may not see the nearest gets as many of the others', async () => {
    const { name } = await answering.collection();
    const near = Array.from({ length: 60 }, (_, i) => text(`near${i}.txt`, `${SALARY} Note ${i}.`));
    const far = Array.from({ length: 8 }, (_, i) => text(`far${i}.txt`, `The team of pump ${i} meets on Monday.`));
    await answering.ingest(name, [...near, ...far]);
    await answering.domains.knowledge.labels.set(
      answering.workspaceId,
      await answering.stores.collections.require(answering.workspaceId, name, 'collection'),
      { names: near.map((each) => each.name), access: ['people'], changedBy: 'test' },
    );
    const scope = await answering.retriever.scope(answering.workspaceId, [name], []);
    const { passages } = await answering.retriever.retrieve({ scope, query: SALARY, mode: 'HYBRID', limit: 8 });
    expect(passages.map((each) => each.documentName).sort()).toEqual(far.map((each) => each.name).sort());
  }, 120_000);

  it('make answers that only their groups delete, and that nobody else learns of by deleting', async () => {
    const answer = await ask(['people']);
    const remove = (groups: Groups) => answering.service.deleteAnswers(caller(groups), { ids: [answer.id] });
    expect(await remove([])).toBe(0);
    expect(await remove(['others'])).toBe(0);
    expect(await answering.service.answersById(caller(null), [answer.id])).not.toEqual([null]);
    expect(await remove(['people'])).toBe(1);
  }, 120_000);

  it('are cited to their groups alone, and an answer that read them is seen by those only', async () => {
    const answer = await ask(['people']);
    expect(answer.evidence.map(({ documentName }) => documentName)).toContain('salaries.txt');
    const seen = (groups: Groups) => answering.service.answersById(caller(groups), [answer.id]);
    expect(await seen(['people'])).toEqual([expect.objectContaining({ id: answer.id })]);
    expect(await seen([])).toEqual([null]);
    const listed = async (groups: Groups) =>
      (await answering.service.answers(caller(groups), {}, { first: 50, after: null })).items.map(({ id }) => id);
    expect(await listed(null)).toContain(answer.id);
    expect(await listed(['others'])).not.toContain(answer.id);
    const { data } = await graphql('query ($id: ID!) { answer(id: $id) { text } }', [], {
      id: toGlobalId('Answer', answer.id),
    });
    expect(data).toEqual({ answer: null });

    const refused = await ask([]);
    expect(JSON.stringify(refused)).not.toContain('salaries.txt');
    expect(JSON.stringify(refused.evidence)).not.toContain('7,312');
    expect(await answering.service.answersById(caller([]), [refused.id])).toEqual([
      expect.objectContaining({ id: refused.id }),
    ]);
  }, 120_000);

  it('an answer under a request id is not joined by who sees other documents', async () => {
    const requestId = newId();
    const first = await ask(['people'], requestId);
    expect((await ask(['people'], requestId)).id).toBe(first.id);
    await expect(ask([], requestId)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    await label(['salaries.txt'], ['board']);
    await expect(ask(['people'], requestId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await label(['salaries.txt'], ['people']);
    expect((await ask(['people'], requestId)).id).toBe(first.id);
  }, 120_000);

  it('a changed label holds at once, for answers from before and on another gateway, too', async () => {
    const answer = await ask(['people']);
    await label(['salaries.txt'], []);
    expect(await found([], 'LEXICAL')).toContain('salaries.txt');
    expect(await answering.service.answersById(caller([]), [answer.id])).not.toEqual([null]);
    await label(['salaries.txt'], ['people']);
    expect(await found([], 'LEXICAL')).not.toContain('salaries.txt');
    expect(await answering.otherGateway().answersById(caller([]), [answer.id])).toEqual([null]);
  }, 120_000);

  it('are neither listed nor fetched by others, and a new version has the label from its beginning', async () => {
    const listed = async (groups: Groups) => {
      const { data } = await graphql(
        'query ($name: String!) { collection(name: $name) { documents { edges { node { id name access chunks { edges { node { id } } } } } } } }',
        groups,
        { name: collection },
      );
      type Node = { id: string; name: string; access: string[]; chunks: { edges: { node: { id: string } }[] } };
      const found = data as unknown as { collection: { documents: { edges: { node: Node }[] } } };
      return found.collection.documents.edges.map(({ node }) => node);
    };
    await answering.ingest(collection, [text('salaries.txt', `${SECRET} It did so before.`)]);
    const [secret] = (await listed(['people'])).filter(({ name }) => name === 'salaries.txt');
    expect(secret!.access).toEqual(['people']);
    expect((await listed([])).map(({ name }) => name)).toEqual(['pumps.txt']);
    for (const id of [secret!.id, secret!.chunks.edges[0]!.node.id]) {
      expect((await graphql('query ($id: ID!) { node(id: $id) { id } }', [], { id })).data).toEqual({ node: null });
      expect((await graphql('query ($id: ID!) { node(id: $id) { id } }', ['people'], { id })).data).toEqual({
        node: { id },
      });
    }
  }, 120_000);

  it('what is said of an answer that read them is read by their groups alone', async () => {
    const { id } = await ask(['people']);
    const source = { kind: 'HUMAN', name: 'ann' } as const;
    const said = { answerId: id, kind: 'EXPECTATION', source, comment: SECRET, expectation: { text: SECRET } } as const;
    await answering.domains.feedback.feedback.submit(caller(null), [said]);
    const read = async (groups: Groups) => {
      const { data, errors } = await graphql(
        'query ($id: ID!) { feedback(filter: { answer: $id }) { edges { node { comment expectation { __typename } } } } }',
        groups,
        { id: toGlobalId('Answer', id) },
      );
      if (errors) throw errors[0]!.originalError ?? errors[0]!;
      return (data!.feedback as { edges: { node: object }[] }).edges.map(({ node }) => ({ ...node }));
    };
    const open = { comment: SECRET, expectation: { __typename: 'ExpectedText' } };
    expect(await read(['people'])).toEqual([open]);
    expect(await read(null)).toEqual([open]);
    expect(await read([])).toEqual([{ comment: null, expectation: null }]);
  }, 120_000);

  it('stay hidden from a search that was under way when a new version came', async () => {
    const scope = await answering.retriever.scope(answering.workspaceId, [collection], []);
    await answering.ingest(collection, [text('salaries.txt', `${SECRET} It will do so again.`)]);
    const { passages } = await answering.retriever.retrieve({ scope, query: SALARY, mode: 'HYBRID', limit: 10 });
    expect(passages.map(({ documentName }) => documentName)).not.toContain('salaries.txt');
  }, 120_000);

  it('are named to their groups alone by the runs that ingested them', async () => {
    await label(['rota.txt'], ['people']);
    const run = await answering.ingest(collection, [
      text('rota.txt', 'The rota is kept by Ann.'),
      text('late.txt', 'Nobody is late.'),
    ]);
    const id = toGlobalId('IngestionRun', run.id);
    const told = async (groups: Groups) => {
      const { data, errors } = await graphql(
        'query ($id: ID!) { node(id: $id) { ... on IngestionRun { message documents { name } } } runEvents(runId: $id) { message ... on IngestionEvent { document result { name } } } }',
        groups,
        { id },
      );
      if (errors) throw errors[0]!.originalError ?? errors[0]!;
      return JSON.stringify(data);
    };
    expect(await told(['people'])).toMatch(/"documents":\[\{"name":"rota.txt"\}.*"document":"rota.txt"/);
    expect(await told(null)).toContain('rota.txt');
    expect(await told([])).not.toContain('rota.txt');
    expect(await told([])).toContain('late.txt');
    expect(await told([])).toContain('Document 1 of 2');
  }, 120_000);

  it('are neither replaced nor deleted by others, nor is a collection that holds them', async () => {
    const change = async (groups: Groups, mutation: string) => {
      const { errors } = await graphql(`mutation { ${mutation} { __typename } }`, groups);
      return errors?.[0]?.originalError ?? null;
    };
    const named = JSON.stringify(collection);
    const ingested = (name: string) =>
      `ingestDocuments(input: { collection: ${named}, idempotencyKey: "${newId()}", documents: [{ name: "${name}", text: "Nobody earns a thing." }] })`;
    expect(await change([], ingested('salaries.txt'))).toMatchObject({ code: 'FORBIDDEN', field: 'input.documents' });
    expect(await change([], ingested('saláries.txt'))).toBeNull();
    // A label may wait for its document: whoever brings that need not be in the group.
    await label(['awaited.txt'], ['people']);
    expect(await change([], ingested('awaited.txt'))).toBeNull();
    const deleted = (name: string) => `deleteDocuments(input: { collection: ${named}, names: ["${name}"] })`;
    expect(await change([], deleted('salaries.txt'))).toMatchObject({ code: 'NOT_FOUND', field: 'input.names' });
    expect(await change([], deleted('nothing.txt'))).toMatchObject({ code: 'NOT_FOUND', field: 'input.names' });
    expect(await change([], `deleteCollection(input: { collection: ${named} })`)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await found(['people'], 'LEXICAL')).toContain('salaries.txt');
  }, 120_000);

  it('are named to their groups alone by what keeps a file', async () => {
    const { name } = await answering.collection();
    const { id } = await answering.upload('orlo.txt', Buffer.from('The Orlo team merges with another in May.'));
    await answering.ingest(name, [{ name: 'merger.txt', fileId: id as Uuid }]);
    await answering.domains.knowledge.labels.set(
      answering.workspaceId,
      await answering.stores.collections.require(answering.workspaceId, name, 'collection'),
      { names: ['merger.txt'], access: ['people'], changedBy: 'test' },
    );
    const reasons = async (groups: Groups) => {
      const { data, errors } = await graphql(
        'mutation ($file: ID!) { deleteFile(input: { file: $file }) { erasure { keptFiles { reason } } } }',
        groups,
        { file: toGlobalId('File', id) },
      );
      if (errors) throw errors[0]!.originalError ?? errors[0]!;
      const { erasure } = data!.deleteFile as { erasure: { keptFiles: { reason: string }[] } };
      return erasure.keptFiles.map(({ reason }) => reason);
    };
    const named = [`The document merger.txt of ${name} was made of it: delete it there too.`];
    expect(await reasons([])).toEqual(['A document was made of it.']);
    expect(await reasons(['people'])).toEqual(named);
    expect(await reasons(null)).toEqual(named);
  }, 120_000);

  it('are labelled anew by those who see them alone', async () => {
    const relabel = async (groups: Groups, access: string[]) => {
      const { errors } = await graphql(
        'mutation ($input: SetDocumentAccessInput!) { setDocumentAccess(input: $input) { access } }',
        groups,
        { input: { collection, names: ['salaries.txt'], access } },
      );
      return errors?.[0]?.originalError ?? null;
    };
    for (const access of [[], ['pumps'], ['people', 'pumps']])
      expect(await relabel(['pumps'], access)).toMatchObject({ code: 'NOT_FOUND', field: 'input.names' });
    expect(await found(['pumps'], 'LEXICAL')).not.toContain('salaries.txt');
    expect(await relabel(['people'], ['people'])).toBeNull();
  });

  it('give nothing to what is made of documents', async () => {
    const { id } = await answering.stores.collections.require(answering.workspaceId, collection, 'collection');
    const drawn = await answering.stores.documents.drawChunks(id, 100, 1);
    expect(drawn.map((each) => each.text).join()).toContain('37 bar');
    expect(drawn.map((each) => each.text).join()).not.toContain('7,312');
    expect(await answering.stores.documents.chunksHolding(id, 'crowns a month')).toEqual([]);
    // Beside what others brought that has no label.
    const seen = (await answering.search(collection, SALARY, 'LEXICAL')).map(({ documentName }) => documentName);
    expect(seen).toContain('pumps.txt');
    expect(seen).not.toContain('salaries.txt');
  });

  it('take at most 100 groups, each with a name', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `g${i}`);
    await expect(label(['a.txt'], many.slice(0, 101))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(label(['a.txt'], many)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(label(['a.txt'], [' '])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(label([], ['g'])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
