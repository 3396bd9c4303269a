/** `/v1/responses`: the newer of OpenAI's two forms, asked by their own client. */
import OpenAI, { type APIError } from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AnswersDocument,
  AskDocument,
  CollectionDocument,
  CreateCollectionDocument,
  DeleteDocumentsDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
} from '../../src/client/operations/index.js';
import { parseGlobalId } from '../../src/kit/graphql/index.js';
import { keepsTo } from '../support/json-schema.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';

const python = await Python.with(['openai==1.109.1']);

const QUESTION = 'At what pressure does the Orlo pump run?';
const MODEL = 'smollm2-135m-instruct';
const SEARCH = [{ type: 'file_search', vector_store_ids: ['vs_none'] }];
const SHORT = { model: MODEL, max_output_tokens: 8 };
const KIND = {
  type: 'object',
  properties: { kind: { enum: ['machine', 'animal'] } },
  required: ['kind'],
  additionalProperties: false,
};
const NOBODYS = 'resp_00000000-0000-4000-8000-000000000000';

type Response = OpenAI.Responses.Response & {
  graft: { quotes: { quote: string }[]; ignored: string[]; question: string };
};
type StreamEvent = OpenAI.Responses.ResponseStreamEvent;

describe('responses', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let openai: OpenAI;
  let graphql: GraftClient;
  let store: string;

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    graphql = new GraftClient(graft.url);
    openai = new OpenAI({ baseURL: `${graft.url}/v1`, apiKey: 'none', maxRetries: 0 });
    await graphql.request(CreateCollectionDocument, { input: { name: 'pumps' } });
    const documents = [
      { name: 'orlo.txt', text: 'The Orlo pump runs at 37 bar.\n\nThe Orlo pump weighs 12 kg.' },
      { name: 'vela.txt', text: 'The Vela valve opens at 5 bar. It is made of brass.' },
    ];
    await ingest(documents);
    const { collection } = await graphql.request(CollectionDocument, { name: 'pumps' });
    store = `vs_${parseGlobalId(collection!.id, 'id').id}`;
  }, 300_000);
  afterAll(async () => {
    graphql.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  const ingest = async (documents: { name: string; text: string }[]) => {
    const { ingestDocuments } = await graphql.request(IngestDocumentsDocument, {
      input: { collection: 'pumps', documents, idempotencyKey: documents[0]!.name },
    });
    const { id: runId } = ingestDocuments.run;
    for await (const { ingestionProgress: event } of graphql.subscribe(IngestionProgressDocument, { runId }))
      if (event.error) throw new Error(event.error.message);
  };
  const create = async (body: Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'stream'>) =>
    (await openai.responses.create(body)) as Response;
  const refused = (body: object) =>
    openai.responses.create({
      model: MODEL,
      input: 'Hi.',
      ...body,
    } as OpenAI.Responses.ResponseCreateParamsNonStreaming);

  it('has the text, whose document is cited, and says what was asked', async () => {
    const response = await create({
      model: 'graft/pumps',
      input: QUESTION,
      metadata: { of: 'test' },
      temperature: 0.5,
    });
    expect(response.output_text).toBe('The Orlo pump runs at 37 bar.');
    expect(response).toMatchObject({ object: 'response', status: 'completed', store: true, error: null });
    expect(response).toMatchObject({ metadata: { of: 'test' }, model: 'graft/pumps', previous_response_id: null });
    expect(response.output).toMatchObject([
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', annotations: [{ type: 'file_citation', filename: 'orlo.txt' }] }],
      },
    ]);
    expect(response.graft.quotes[0]!.quote).toContain('37 bar');
    expect(response.graft.ignored).toEqual(['temperature']);
    expect(response.usage!.total_tokens).toBe(response.usage!.input_tokens + response.usage!.output_tokens);
  }, 120_000);

  const types = async (stream: AsyncIterable<StreamEvent>) => {
    const events: StreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ sequence_number: place }) => place)).toEqual(events.map((_, index) => index));
    return events;
  };

  it('streams a model’s words in OpenAI’s order, and ends with the response that is kept', async () => {
    const asked = { model: MODEL, input: 'Name a colour.', max_output_tokens: 12, stream: true } as const;
    const events = await types(await openai.responses.create(asked));
    const text = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));
    expect(events.map(({ type }) => type).filter((type) => type !== 'response.output_text.delta')).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      expect.stringMatching(/^response\.(completed|incomplete)$/),
    ]);
    const last = events.at(-1) as OpenAI.Responses.ResponseCompletedEvent;
    const kept = await openai.responses.retrieve(last.response.id);
    expect(kept.output_text).toBe(text.join(''));
    const { output_text: _text, ...shown } = kept;
    expect(last.response).toEqual(shown);
    // A kept one is streamed again.
    const again = await types(await openai.responses.retrieve(kept.id, { stream: true }));
    expect(again.at(-1)).toMatchObject({ response: { id: kept.id } });
    const after = again.length - 3;
    const rest = [];
    for await (const event of await openai.responses.retrieve(kept.id, { stream: true, starting_after: after }))
      rest.push(event.sequence_number);
    expect(rest).toEqual([after + 1, after + 2]);
    const snapshot = await openai.responses
      .stream({ model: MODEL, input: 'Name a colour.', max_output_tokens: 4 })
      .finalResponse();
    expect(snapshot.status).toBe('incomplete');
    expect(snapshot.incomplete_details).toEqual({ reason: 'max_output_tokens' });
  }, 120_000);

  it('searches a collection where file_search names it, and tells what was found', async () => {
    const tools = [{ type: 'file_search' as const, vector_store_ids: [store], max_num_results: 1 }];
    const asked = { model: 'graft', input: QUESTION, tools, tool_choice: 'required' as const };
    const response = await create({ ...asked, include: ['file_search_call.results'] });
    const [search, message] = response.output;
    expect(search).toMatchObject({ type: 'file_search_call', status: 'completed', queries: [QUESTION] });
    expect((search as OpenAI.Responses.ResponseFileSearchToolCall).results).toMatchObject([
      { filename: 'orlo.txt', text: 'The Orlo pump runs at 37 bar.' },
    ]);
    expect(message).toMatchObject({ type: 'message' });
    const events = await types(await openai.responses.create({ ...asked, stream: true }));
    expect(events.map(({ type }) => type).slice(2, 8)).toEqual([
      'response.output_item.added',
      'response.file_search_call.in_progress',
      'response.file_search_call.searching',
      'response.file_search_call.completed',
      'response.output_item.done',
      'response.output_item.added',
    ]);
    expect(events.some(({ type }) => type === 'response.output_text.annotation.added')).toBe(true);
    const nowhere = [{ type: 'file_search' as const, vector_store_ids: [NOBODYS.replace('resp', 'vs')] }];
    await expect(refused({ tools: nowhere })).rejects.toMatchObject({ status: 404 });
  }, 120_000);

  it('goes on from a response that is kept, and from its message', async () => {
    const first = await create({ model: 'graft/pumps', input: QUESTION });
    const second = await create({
      model: 'graft/pumps',
      input: 'And what does it weigh?',
      previous_response_id: first.id,
    });
    expect(second.output_text).toContain('12 kg');
    expect(second.previous_response_id).toBe(first.id);
    expect(second.graft.question).toBe(`${QUESTION} And what does it weigh?`);
    const referred = await create({
      model: 'graft/pumps',
      input: [
        { role: 'user', content: QUESTION },
        { type: 'item_reference', id: first.output[0]!.id! },
        { role: 'user', content: [{ type: 'input_text', text: 'And what does it weigh?' }] },
      ],
    });
    expect(referred.output_text).toContain('12 kg');
    const sentBack = await create({
      model: 'graft/pumps',
      input: [
        { role: 'user', content: QUESTION },
        ...(first.output as OpenAI.Responses.ResponseInput),
        { role: 'user', content: 'And what does it weigh?' },
      ],
    });
    expect(sentBack.output_text).toContain('12 kg');
    await expect(refused({ previous_response_id: NOBODYS })).rejects.toMatchObject({
      status: 404,
      param: 'previous_response_id',
    });
    // What goes leaves what was asked behind it, too.
    await openai.responses.delete(first.id);
    const left = (await openai.responses.retrieve(second.id)) as Response;
    expect(left.graft.question).toBe('And what does it weigh?');
  }, 120_000);

  it('loses what is erased with a document, also where a program named it or sent it back, and where what is between is gone', async () => {
    await ingest([{ name: 'karo.txt', text: 'The Karo lock opens at 77 volts.' }]);
    const first = await create({ model: 'graft/pumps', input: 'At how many volts does the Karo lock open?' });
    expect(first.output_text).toContain('77 volts');
    const last = { role: 'user' as const, content: 'Say that again.' };
    const named = await create({ ...SHORT, input: [{ type: 'item_reference', id: first.output[0]!.id! }, last] });
    const sentBack = await create({
      ...SHORT,
      input: [...(first.output as OpenAI.Responses.ResponseInput), last],
    });
    const between = await create({ ...SHORT, input: 'Say that again.', previous_response_id: first.id });
    const behind = await create({ ...SHORT, input: 'And again.', previous_response_id: between.id });
    await openai.responses.delete(between.id);
    await graphql.request(DeleteDocumentsDocument, { input: { collection: 'pumps', names: ['karo.txt'] } });
    for (const { id } of [first, named, sentBack, behind]) {
      expect(((await openai.responses.retrieve(id)) as Response).output_text).toMatch(
        /^A document that .* was deleted/,
      );
      expect(JSON.stringify((await openai.responses.inputItems.list(id)).data)).not.toContain('77 volts');
    }
  }, 120_000);

  it('has each message once by an id of its own, one that is named with the text that it names', async () => {
    const first = await create({ ...SHORT, input: 'Say hi.' });
    const reference = { type: 'item_reference' as const, id: first.output[0]!.id! };
    const user = { role: 'user' as const, content: 'And again.' };
    const { id } = await create({ ...SHORT, input: [reference, user, reference, user] });
    const items = [];
    for await (const item of openai.responses.inputItems.list(id, { order: 'asc', limit: 1 })) items.push(item);
    expect(items).toMatchObject([
      { role: 'assistant', content: [{ text: first.output_text }] },
      { role: 'user' },
      { role: 'assistant' },
      { role: 'user' },
    ]);
  }, 60_000);

  it('keeps nothing of who asks, and joins no conversation by the key of a retry', async () => {
    const asker = { user: 'ada@example.org', safety_identifier: 'ada-7' };
    const response = await create({ ...SHORT, ...asker, input: 'Say hi.' });
    expect(response).toMatchObject(asker);
    expect(JSON.stringify(await openai.responses.retrieve(response.id))).not.toMatch(/ada[-@]/);
    await graphql.request(AskDocument, {
      input: { question: QUESTION, conversationId: 'mine', collections: ['pumps'] },
    });
    const alone = (await openai.responses.create(
      { model: 'graft/pumps', input: 'And what does it weigh?' },
      { idempotencyKey: 'mine' },
    )) as Response;
    expect(alone.graft.question).toBe('And what does it weigh?');
  }, 60_000);

  it('tells a model what was said before', async () => {
    const first = await create({
      model: MODEL,
      instructions: 'Answer briefly.',
      input: 'My name is Ada.',
      max_output_tokens: 8,
    });
    const second = await create({
      model: MODEL,
      input: 'What is my name?',
      previous_response_id: first.id,
      max_output_tokens: 8,
    });
    const sent = await create({
      model: MODEL,
      input: [
        { role: 'user', content: 'My name is Ada.' },
        { role: 'assistant', content: first.output_text },
        { role: 'user', content: 'What is my name?' },
      ],
      max_output_tokens: 8,
    });
    expect(second).toMatchObject({ instructions: null, output_text: sent.output_text });
    expect(second.usage!.input_tokens).toBe(sent.usage!.input_tokens);
    const alone = await create({ model: MODEL, input: 'What is my name?', max_output_tokens: 8 });
    expect(second.usage!.input_tokens).not.toBe(alone.usage!.input_tokens);
  }, 120_000);

  it('lists the messages of the input', async () => {
    const { id } = await create({
      model: MODEL,
      input: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Say hi.' },
      ],
      max_output_tokens: 2,
    });
    const items = await openai.responses.inputItems.list(id, { order: 'asc', limit: 1 });
    expect(items.data).toMatchObject([{ role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] }]);
    const all = [];
    for await (const item of openai.responses.inputItems.list(id, { limit: 1 })) all.push(item);
    expect(all).toMatchObject([{ role: 'user' }, { role: 'developer' }]);
  }, 60_000);

  const answers = async () => (await graphql.request(AnswersDocument, { first: 100 })).answers.edges.length;

  it('keeps nothing of what is not to be stored, and nothing of what was deleted', async () => {
    const before = await answers();
    const unkept = await create({ model: 'graft/pumps', input: QUESTION, store: false });
    expect(unkept).toMatchObject({ output_text: 'The Orlo pump runs at 37 bar.', store: false });
    const events = await types(
      await openai.responses.create({
        model: MODEL,
        input: 'Say hi.',
        store: false,
        max_output_tokens: 4,
        stream: true,
      }),
    );
    expect(events.filter(({ type }) => type === 'response.output_text.delta').length).toBeGreaterThan(1);
    expect(await answers()).toBe(before);
    await expect(openai.responses.retrieve(unkept.id)).rejects.toMatchObject({ status: 404 });
    const { id } = await create({ model: MODEL, input: 'Say hi.', max_output_tokens: 2 });
    expect(await answers()).toBe(before + 1);
    await openai.responses.delete(id);
    expect(await answers()).toBe(before);
    for (const gone of [id, NOBODYS, 'resp_none', 'none'])
      for (const call of [
        async () => openai.responses.retrieve(gone),
        async () => openai.responses.delete(gone),
        async () => openai.responses.cancel(gone),
        async () => openai.responses.inputItems.list(gone),
      ])
        await expect(call() as Promise<unknown>).rejects.toMatchObject({ status: 404 });
  }, 120_000);

  it('holds the words to a schema, or refuses', async () => {
    const format = { type: 'json_schema' as const, name: 'kind', strict: true, schema: KIND };
    const { output_text: text, text: told } = await create({
      model: MODEL,
      input: 'What is a pump?',
      text: { format },
    });
    expect([keepsTo(JSON.parse(text), KIND), told]).toEqual([true, { format }]);
    const nobody = 'Who won the chess tournament of 1931 in Prague?';
    const asked = { model: 'graft/pumps', input: nobody, text: { format } };
    expect((await create(asked)).output).toMatchObject([{ content: [{ type: 'refusal' }] }]);
    const events = await types(await openai.responses.create({ ...asked, stream: true }));
    expect(events.map(({ type }) => type).slice(-5, -2)).toEqual([
      'response.refusal.delta',
      'response.refusal.done',
      'response.content_part.done',
    ]);
  }, 240_000);

  it.each<[string, object, string]>([
    ['a tool that isn’t here', { tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    ['a function', { tools: [{ type: 'function', name: 'f', parameters: {}, strict: true }] }, 'tools[0].type'],
    ['a choice of a tool that isn’t sent', { tool_choice: 'required' }, 'tool_choice'],
    ['work in the background', { background: true }, 'background'],
    ['a conversation', { conversation: 'conv_1' }, 'conversation'],
    ['a prompt', { prompt: { id: 'pmpt_1' } }, 'prompt'],
    ['truncation', { truncation: 'auto' }, 'truncation'],
    [
      'an image',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      'input[0].content[0].type',
    ],
    [
      'a file',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'x' }] }] },
      'input[0].content[0].type',
    ],
    ['another item', { input: [{ type: 'function_call_output', call_id: 'x', output: '' }] }, 'input[0].type'],
    ['another role', { input: [{ role: 'tool', content: 'x' }] }, 'input[0].role'],
    ['no question', { input: [{ role: 'assistant', content: 'x' }] }, 'input'],
    ['nothing', { input: [] }, 'input'],
    ['too few tokens', { max_output_tokens: 0 }, 'max_output_tokens'],
    ['a temperature', { temperature: 3 }, 'temperature'],
    ['a number that is none', { max_output_tokens: 'x' }, 'max_output_tokens'],
    ['a form', { text: { format: { type: 'xml' } } }, 'text.format.type'],
    ['a field', { top_k: 1 }, 'top_k'],
    ['what can’t be included', { include: ['web_search_call.action.sources'] }, 'include[0]'],
    ['a long question', { input: 'x'.repeat(8_001) }, 'input'],
    ['a model', { model: 'nobody' }, 'model'],
    ['two searches', { tools: SEARCH, graft: { collections: ['pumps'] } }, 'graft.collections'],
    ['a search that another strategy leaves out', { tools: SEARCH, graft: { strategy: 'BASE' } }, 'graft.strategy'],
  ])('refuses by its name %s', async (_what, body, param) => {
    const error = (await refused(body).then(
      () => null,
      (reason: unknown) => reason,
    )) as APIError | null;
    expect([error?.param, error?.type]).toEqual([param, 'invalid_request_error']);
    expect([400, 404, 413]).toContain(error!.status);
  });

  it('cancels none: it says what to do', async () => {
    const { id } = await create({ model: MODEL, input: 'Say hi.', max_output_tokens: 2 });
    await expect(openai.responses.cancel(id)).rejects.toMatchObject({ status: 400 });
  }, 60_000);

  it.each(['moderations', 'audio/speech', 'images/generations', 'assistants', 'threads', 'evals', 'realtime/sessions'])(
    'has no %s, and says what there is',
    async (path) => {
      const response = await fetch(`${graft.url}/v1/${path}`, { method: 'POST' });
      const { error } = (await response.json()) as { error: { message: string; type: string } };
      expect([response.status, error.type]).toEqual([404, 'invalid_request_error']);
      expect(error.message).toMatch(/^There is no POST \/v1\/\S+ here\. [A-Z].+\.$/);
      expect(error.message).not.toContain('There are');
    },
  );

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'serve OpenAI’s Python client',
    async () => {
      const script = `
import json, sys
from openai import OpenAI
given = json.load(sys.stdin)
client = OpenAI(base_url=given["url"] + "/v1", api_key="none", max_retries=0, _strict_response_validation=True)
first = client.responses.create(model="graft/pumps", input=given["question"])
second = client.responses.create(model="graft/pumps", input="And what does it weigh?", previous_response_id=first.id)
with client.responses.stream(model="graft/pumps", input=given["question"]) as stream:
    kinds = [event.type for event in stream]
    streamed = stream.get_final_response().output_text
client.responses.delete(first.id)
print(json.dumps({"text": first.output_text, "second": second.output_text, "streamed": streamed, "kinds": kinds}))
`;
      const given = { url: graft.url, question: QUESTION };
      const found = await (python as Python).ask<Record<string, unknown>>(script, given);
      expect(found).toMatchObject({ text: 'The Orlo pump runs at 37 bar.', streamed: 'The Orlo pump runs at 37 bar.' });
      expect(found['second']).toContain('12 kg');
      expect(found['kinds']).toContain('response.completed');
    },
    120_000,
  );
});
