import OpenAI from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AskDocument,
  BudgetsDocument,
  CreateCollectionDocument,
  IngestDocumentsDocument,
  IngestionProgressDocument,
  SetBudgetDocument,
} from '../../src/client/operations/index.js';
import { keepsTo } from '../support/json-schema.js';
import { OpenApiDocument } from '../support/openapi-document.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';

const python = await Python.with(['openai==1.109.1']);

const QUESTION = 'At what pressure does the Orlo pump run?';
const MODEL = 'smollm2-135m-instruct';

const jsonSchema = (schema: object) => ({
  type: 'json_schema' as const,
  json_schema: { name: 'form', strict: true, schema: schema as Record<string, unknown> },
});
const deep = (levels: number): object => (levels === 0 ? {} : { type: 'array', items: deep(levels - 1) });
const wide = (count: number): object => ({
  type: 'object',
  properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: 'string' }])),
});
const endless = {
  type: 'object',
  properties: { next: { $ref: '#' } },
  required: ['next'],
  additionalProperties: false,
};
const KIND = {
  type: 'object',
  properties: { kind: { enum: ['machine', 'animal'] }, legs: { type: 'array', items: { enum: [0, 2] }, maxItems: 2 } },
  required: ['kind', 'legs'],
  additionalProperties: false,
};

describe('the addresses that OpenAI’s clients speak', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let openai: OpenAI;
  let graphql: GraftClient;

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
    const { ingestDocuments } = await graphql.request(IngestDocumentsDocument, {
      input: { collection: 'pumps', documents, idempotencyKey: 'pumps' },
    });
    for await (const { ingestionProgress: event } of graphql.subscribe(IngestionProgressDocument, {
      runId: ingestDocuments.run.id,
    }))
      if (event.error) throw new Error(event.error.message);
  }, 300_000);
  afterAll(async () => {
    graphql.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${graft.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const refusal = async (body: object): Promise<{ status: number; error: { param: string; code: string } }> => {
    const response = await post('/v1/chat/completions', {
      model: 'graft',
      messages: [{ role: 'user', content: QUESTION }],
      ...body,
    });
    return { status: response.status, ...((await response.json()) as { error: { param: string; code: string } }) };
  };

  it('answers OpenAI’s Node client as GraphQL answers, with the same evidence, route and configuration', async () => {
    const completion = await openai.chat.completions.create({
      model: 'graft/pumps',
      messages: [{ role: 'user', content: QUESTION }],
    });
    const { ask } = await graphql.request(AskDocument, { input: { question: QUESTION, collections: ['pumps'] } });
    const [choice] = completion.choices;
    const { content, annotations } = choice!.message;
    expect(content!.startsWith(ask.text)).toBe(true);
    expect(completion.system_fingerprint).toBe(ask.configuration.digest);
    expect(choice!.finish_reason).toBe('stop');
    expect(annotations).toHaveLength(ask.citations.length);
    annotations!.forEach(({ url_citation: { start_index, end_index, url } }, index) => {
      expect(content!.slice(start_index, end_index)).toBe(`[${index + 1}]`);
      expect(url).toContain(`${graft.url}/knowledge/pumps?document=`);
    });
    expect(completion).toMatchObject({ graft: { strategy: ask.route.strategy, abstained: false } });
    expect(completion.usage!.total_tokens).toBe(completion.usage!.prompt_tokens + completion.usage!.completion_tokens);
    const { node } = await graphql.request<{ node: { __typename: string } }>(
      'query ($id: ID!) { node(id: $id) { __typename } }',
      { id: completion.id },
    );
    expect(node.__typename).toBe('Answer');
  }, 120_000);

  it.each([
    ['a question that the documents answer', [QUESTION], 'pumps'],
    ['a follow-up', [QUESTION, 'And what does it weigh?'], 'pumps'],
    ['a question that they don’t answer', ['Who won the chess tournament of 1931 in Prague?'], 'pumps'],
  ])(
    'answers a chat and the console’s question alike, citations included: %s',
    async (_, said, collection) => {
      const messages = said.map((content) => ({ role: 'user' as const, content }));
      const completion = await openai.chat.completions.create({ model: `graft/${collection}`, messages });
      const asked = `query ($input: AskInput!) { ask(input: $input) {
      text confidence askedAs abstained abstention { reason sentence } route { strategy chosenBy reasons { sentence } }
      citations { quote start end documentName } configuration { digest } } }`;
      const conversationId = `alike ${said.length} ${said[0]}`;
      let last: Record<string, never> = {};
      for (const question of said) {
        const input = { question, strategy: 'RAG', collections: [collection], conversationId };
        ({ ask: last } = await graphql.request<{ ask: Record<string, never> }>(asked, { input }));
      }
      const { text, confidence, askedAs, abstained, abstention, citations, route, configuration } = last as unknown as {
        text: string;
        confidence: number | null;
        askedAs: string | null;
        abstained: boolean;
        abstention: object | null;
        citations: { quote: string; start: number; end: number; documentName: string }[];
        route: { strategy: string; chosenBy: string; reasons: { sentence: string }[] };
        configuration: { digest: string };
      };
      const { content, annotations = [] } = completion.choices[0]!.message;
      expect(content!.replace(/ ?\[\d+\]/g, '')).toBe(text);
      expect(completion.system_fingerprint).toBe(configuration.digest);
      expect(completion).toMatchObject({
        graft: {
          question: askedAs ?? said.at(-1),
          strategy: route.strategy,
          chosenBy: route.chosenBy,
          confidence,
          abstained,
          abstention,
          quotes: citations.map(({ quote, start, end, documentName: document }) => ({ quote, start, end, document })),
        },
      });
      annotations.forEach(({ url_citation: { url, title } }, i) => {
        const { documentName, start, end } = citations[i]!;
        const place = new URL(url).searchParams;
        expect([title, place.get('start'), place.get('end')]).toEqual([documentName, `${start}`, `${end}`]);
      });
      expect(annotations).toHaveLength(citations.length);
    },
    120_000,
  );

  it('streams chunks of one id that add up to the answer, with usage where asked for', async () => {
    const whole = { content: '', ids: new Set<string>(), usages: 0, finish: '', strategy: '' };
    const stream = await openai.chat.completions.create({
      model: 'graft/pumps',
      messages: [{ role: 'user', content: QUESTION }],
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      whole.ids.add(chunk.id);
      whole.content += chunk.choices[0]?.delta.content ?? '';
      whole.finish += chunk.choices[0]?.finish_reason ?? '';
      whole.usages += chunk.usage ? 1 : 0;
      whole.strategy += (chunk as { graft?: { strategy: string } }).graft?.strategy ?? '';
    }
    expect(whole.content).toContain('37 bar');
    expect(whole.ids.size).toBe(1);
    expect(whole).toMatchObject({ finish: 'stop', usages: 1 });
    expect(whole.strategy).not.toBe('');
  }, 120_000);

  it('takes a base model by its name, and holds to its bounds', async () => {
    const completion = await openai.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Write a long story about a ship.' }],
      max_completion_tokens: 8,
      temperature: 0,
    });
    expect(completion).toMatchObject({ graft: { strategy: 'BASE' }, choices: [{ finish_reason: 'length' }] });
    expect(completion.usage!.completion_tokens).toBeLessThanOrEqual(8);
  }, 120_000);

  it('shows a system message to a model that writes, and names it as ignored where a quote answers', async () => {
    const asked = async (model: string, ...system: string[]) => {
      const { choices, graft } = (await openai.chat.completions.create({
        model,
        messages: [
          ...system.map((content) => ({ role: 'developer' as const, content })),
          { role: 'user' as const, content: QUESTION },
        ],
        temperature: 0,
        max_completion_tokens: 24,
      })) as OpenAI.ChatCompletion & { graft: { ignored: string[] } };
      return { text: choices[0]!.message.content, ignored: graft.ignored };
    };
    const pirate = 'You are a pirate. Begin each answer with the word Arr.';
    const [plain, guided] = [await asked(MODEL), await asked(MODEL, pirate)];
    expect(guided.text).not.toBe(plain.text);
    expect(guided.ignored).toEqual([]);
    const [quote, same] = [await asked('graft/pumps'), await asked('graft/pumps', pirate)];
    expect(same.text).toBe(quote.text);
    expect(quote.ignored).toEqual(['max_completion_tokens', 'temperature']);
    expect(same.ignored).toEqual(['system', 'max_completion_tokens', 'temperature']);
  }, 120_000);

  it('shows a base model what was said before, and the newest alone of a long conversation', async () => {
    const tokensOf = async (...before: OpenAI.ChatCompletionMessageParam[]) => {
      const { usage } = await openai.chat.completions.create({
        model: MODEL,
        messages: [...before, { role: 'user', content: 'What is my name?' }],
        max_tokens: 1,
      });
      return usage!.prompt_tokens;
    };
    const named = [
      { role: 'user', content: 'Hello, my name is Ottokar.' },
      { role: 'assistant', content: 'Hello Ottokar, how can I help you?' },
    ] as const;
    const [turn, both] = [await tokensOf(named[0]), await tokensOf(...named)];
    expect(both - turn).toBeGreaterThan(8);
    const long = { role: 'assistant', content: 'And so on. '.repeat(400) } as const;
    expect(await tokensOf({ role: 'user', content: 'Tell me a story.' }, long, ...named)).toBe(both);
  });

  it('draws and ends a model’s words as asked, and names what a quote leaves without effect', async () => {
    const asked = async (model: string, more: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) => {
      const { choices, graft } = (await openai.chat.completions.create({
        model,
        messages: [{ role: 'user', content: QUESTION }],
        ...more,
      })) as OpenAI.ChatCompletion & { graft: { ignored: string[] } };
      return { text: choices[0]!.message.content!, finish: choices[0]!.finish_reason, ignored: graft.ignored };
    };
    const { text } = await asked(MODEL);
    const stop = text.split(' ')[2]!;
    expect(await asked(MODEL, { stop })).toMatchObject({
      text: text.slice(0, text.indexOf(stop)).trim(),
      finish: 'stop',
    });
    expect(await asked(MODEL, { stop: text[0]! })).toEqual({ text: '', finish: 'stop', ignored: [] });
    const drawn = {
      top_p: 0.9,
      frequency_penalty: 1.5,
      presence_penalty: 1.5,
      logit_bias: { 1000: -5 },
      stop: ['###'],
    };
    const [penalised, quoted] = [await asked(MODEL, drawn), await asked('graft/pumps', drawn)];
    expect(penalised.text).not.toBe(text);
    expect(penalised.ignored).toEqual([]);
    expect(quoted.ignored.sort()).toEqual(Object.keys(drawn).sort());
  }, 120_000);

  it('answers a system message, a stop text and two choices, whole and streamed', async () => {
    const asked = {
      model: MODEL,
      messages: [
        { role: 'system' as const, content: 'You tell stories.' },
        { role: 'user' as const, content: 'Tell me of a ship.' },
      ],
      stop: ['zebra'],
      n: 2,
      temperature: 1,
      seed: 4_294_967_295,
      max_completion_tokens: 12,
      metadata: { of: 'a test' },
    };
    type Graft = { id: string; ignored: string[] };
    const whole = (await openai.chat.completions.create(asked)) as OpenAI.ChatCompletion & { graft: Graft };
    expect(whole.choices.map(({ index }) => index)).toEqual([0, 1]);
    const [first, second] = whole.choices.map(({ message }) => message.content);
    expect(second).not.toBe(first);
    expect(whole.graft.ignored).toEqual(['metadata']);
    const told = whole.choices as unknown as { graft: Graft }[];
    expect(told.map(({ graft: { id } }) => id === whole.id)).toEqual([true, false]);
    expect(whole.usage!.completion_tokens).toBeGreaterThan(12);
    const streamed = ['', ''];
    const ids = new Set<string>();
    const usages: unknown[] = [];
    const stream = { ...asked, stream: true as const, stream_options: { include_usage: true } };
    for await (const { id, choices, usage } of await openai.chat.completions.create(stream)) {
      ids.add(id);
      for (const { index, delta } of choices) streamed[index]! += delta.content ?? '';
      if (usage) usages.push(usage.completion_tokens);
    }
    expect(streamed).toEqual([first, second]);
    expect([ids.size, usages]).toEqual([1, [whole.usage!.completion_tokens]]);
  }, 240_000);

  it('puts a follow-up together with what it follows, says so, and leaves other questions alone', async () => {
    const chat = (last: string) =>
      openai.chat.completions.create({
        model: 'graft/pumps',
        messages: [
          { role: 'user', content: QUESTION },
          { role: 'assistant', content: 'The Orlo pump runs at 37 bar.' },
          { role: 'user', content: last },
        ],
      });
    expect(await chat('And what does it weigh?')).toMatchObject({
      graft: { question: `${QUESTION} And what does it weigh?` },
    });
    const alone = 'At what pressure does the Vela valve open?';
    expect(await chat(alone)).toMatchObject({ graft: { question: alone } });
  }, 120_000);

  it.each([
    ['an unknown field', { colour: 'red' }, 'colour', 'unknown_parameter'],
    ['nine choices', { n: 9 }, 'n', 'invalid_value'],
    ['a nucleus larger than all', { top_p: 1.5 }, 'top_p', 'bad_user_input'],
    ['a penalty out of range', { presence_penalty: 3 }, 'presence_penalty', 'bad_user_input'],
    ['a bias out of range', { logit_bias: { 7: 101 } }, 'logit_bias', 'bad_user_input'],
    ['a bias of words', { logit_bias: { yes: 1 } }, 'logit_bias', 'bad_user_input'],
    [
      'a bias of a token that there is not',
      { model: MODEL, logit_bias: { 9999999: 1 } },
      'logit_bias',
      'bad_user_input',
    ],
    ['more alternatives than there are', { logprobs: true, top_logprobs: 21 }, 'top_logprobs', 'invalid_value'],
    ['alternatives of nothing', { top_logprobs: 1 }, 'top_logprobs', 'invalid_value'],
    ['JSON of what may quote', { response_format: { type: 'json_object' } }, 'response_format', 'bad_user_input'],
    ['a deep schema', { response_format: jsonSchema(deep(60)) }, 'response_format', 'invalid_value'],
    ['a huge schema', { response_format: jsonSchema(wide(3_000)) }, 'response_format', 'invalid_value'],
    ['a schema without an end', { response_format: jsonSchema(endless) }, 'response_format', 'invalid_value'],
    [
      'a keyword that nothing keeps',
      { response_format: jsonSchema({ type: 'string', pattern: '(a+)+$' }) },
      'response_format',
      'invalid_value',
    ],
    ['five stop texts', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop', 'bad_user_input'],
    ['an endless stop text', { stop: 'x'.repeat(100_000) }, 'stop', 'bad_user_input'],
    ['a stop text that is none', { stop: [7] }, 'stop[0]', 'invalid_value'],
    [
      'a system message of 100,000 characters',
      {
        messages: [
          { role: 'system', content: 'x'.repeat(100_000) },
          { role: 'user', content: 'y' },
        ],
      },
      'messages',
      'context_length_exceeded',
    ],
    ['an unknown role', { messages: [{ role: 'oracle', content: 'x' }] }, 'messages[0].role', 'unsupported_value'],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }] },
      'messages[0].content[0].type',
      'unsupported_value',
    ],
    ['no message', { messages: [] }, 'messages', 'invalid_value'],
    [
      '1,000 messages',
      { messages: Array.from({ length: 1_000 }, () => ({ role: 'user', content: 'x' })) },
      'messages',
      'invalid_value',
    ],
    ['an answer last', { messages: [{ role: 'assistant', content: 'x' }] }, 'messages[0].role', 'unsupported_value'],
    ['stream options without a stream', { stream_options: { include_usage: true } }, 'stream_options', 'invalid_value'],
    ['a temperature out of range', { temperature: 9 }, 'temperature', 'bad_user_input'],
    ['a model that is not there', { model: 'nobody' }, 'model', 'model_not_found'],
    ['a collection that is not there', { model: 'graft/nowhere' }, 'model', 'model_not_found'],
    ['an unknown option of Graft’s', { graft: { colour: 1 } }, 'graft.colour', 'unknown_parameter'],
    ['an empty question', { messages: [{ role: 'user', content: '  ' }] }, 'messages', 'bad_user_input'],
  ])('refuses %s by its name', async (_, body, param, code) => {
    const refused = await refusal(body);
    expect(refused.error).toMatchObject({ param, code });
    expect([400, 404]).toContain(refused.status);
  });

  it('holds a model’s words to a schema, whole and streamed, and to any object', async () => {
    const asked = {
      model: MODEL,
      messages: [{ role: 'user' as const, content: 'What is a pump?' }],
      temperature: 0,
      response_format: jsonSchema(KIND),
    };
    const { choices, ...completion } = await openai.chat.completions.create(asked);
    const [{ message, finish_reason }] = choices as [(typeof choices)[number]];
    expect([finish_reason, keepsTo(JSON.parse(message.content!), KIND)]).toEqual(['stop', true]);
    let streamed = '';
    for await (const chunk of await openai.chat.completions.create({ ...asked, stream: true }))
      streamed += chunk.choices[0]?.delta.content ?? '';
    expect(streamed).toBe(message.content);
    const plain = await openai.chat.completions.create({ ...asked, response_format: { type: 'text' }, max_tokens: 4 });
    expect(plain.system_fingerprint).not.toBe(completion.system_fingerprint);
    const any = await openai.chat.completions.create({ ...asked, response_format: { type: 'json_object' } });
    const [{ message: object, finish_reason: ended }] = any.choices as [(typeof any.choices)[number]];
    expect(object.content!.startsWith('{')).toBe(true);
    if (ended === 'stop') expect(typeof JSON.parse(object.content!)).toBe('object');
  }, 240_000);

  it('answers from documents in JSON that they bear out, or refuses as Chat has it', async () => {
    const asked = (content: string) =>
      openai.chat.completions.create({
        model: 'graft/pumps',
        messages: [{ role: 'user', content }],
        response_format: jsonSchema({
          type: 'object',
          properties: { pressure: { type: 'string', maxLength: 20 } },
          required: ['pressure'],
          additionalProperties: false,
        }),
      });
    for (const question of [QUESTION, 'Who won the chess tournament of 1931 in Prague?']) {
      const { message, logprobs } = (await asked(question)).choices[0]!;
      expect(logprobs).toBeNull();
      if (message.refusal === null) {
        const { pressure } = JSON.parse(message.content!) as { pressure: string };
        expect('The Orlo pump runs at 37 bar.').toContain(/[\p{L}\p{N}]+/u.exec(pressure)![0]);
      } else expect([message.content, message.refusal === '']).toEqual([null, false]);
    }
    expect((await asked('Who won the chess tournament of 1931 in Prague?')).choices[0]!.message.refusal).not.toBeNull();
  }, 240_000);

  it('tells how probable the model’s tokens were, without changing its words, whole and streamed', async () => {
    const asked = {
      model: MODEL,
      messages: [{ role: 'user' as const, content: 'Name a colour.' }],
      temperature: 0,
      max_completion_tokens: 6,
    };
    const plain = await openai.chat.completions.create(asked);
    const told = await openai.chat.completions.create({ ...asked, logprobs: true, top_logprobs: 2 });
    const [{ message, logprobs }] = told.choices as [(typeof told.choices)[number]];
    expect(message.content).toBe(plain.choices[0]!.message.content);
    expect(plain.choices[0]!.logprobs).toBeNull();
    const content = logprobs!.content!;
    expect(
      content
        .map(({ token }) => token)
        .join('')
        .trim(),
    ).toBe(message.content);
    for (const {
      token,
      logprob,
      bytes,
      top_logprobs: [first, second],
    } of content) {
      expect(first).toEqual({ token, logprob, bytes });
      expect(second!.logprob).toBeLessThanOrEqual(logprob);
    }
    let streamed = '';
    const tokens = [];
    const stream = openai.chat.completions.stream({ ...asked, logprobs: true, top_logprobs: 2 });
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta.content ?? '';
      tokens.push(...(chunk.choices[0]?.logprobs?.content ?? []));
    }
    expect(streamed).toBe(message.content);
    expect(tokens).toEqual(content);
    expect((await stream.finalChatCompletion()).choices[0]!.logprobs!.content).toEqual(content);
  }, 240_000);

  it('has no log-probabilities of a quote, and none for a record', async () => {
    const asked = { model: 'graft/pumps', messages: [{ role: 'user', content: QUESTION }], logprobs: true };
    const quoted = (await (await post('/v1/chat/completions', asked)).json()) as OpenAI.ChatCompletion;
    expect(quoted.choices[0]!.message.content).toContain('37 bar');
    expect(quoted.choices[0]!.logprobs).toBeNull();
    const kept = await post('/v1/chat/completions', asked, { 'idempotency-key': 'with log-probabilities' });
    expect([kept.status, await kept.json()]).toEqual([
      400,
      { error: expect.objectContaining({ param: 'logprobs' }) as object },
    ]);
  }, 120_000);

  it('takes fields that say nothing', async () => {
    const response = await post('/v1/chat/completions', {
      model: MODEL,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hello.' }] }],
      max_tokens: 2,
      n: 1,
      top_p: 1,
      presence_penalty: 0,
      tools: [],
      stop: null,
      logprobs: false,
      metadata: { a: 'b' },
      user: 'u-1',
    });
    expect(response.status).toBe(200);
  }, 60_000);

  it('refuses a body that is too large or no JSON in the form that clients read', async () => {
    const large = await post('/v1/chat/completions', {
      model: 'graft',
      messages: [{ role: 'user', content: 'x'.repeat(10_000_000) }],
    });
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ error: { code: 'payload_too_large' } });
    const broken = await post('/v1/chat/completions', '{"model":');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('answers the same idempotency key once', async () => {
    const body = { model: 'graft/pumps', messages: [{ role: 'user', content: QUESTION }] };
    const ask = async () =>
      (await (await post('/v1/chat/completions', body, { 'idempotency-key': 'once' })).json()) as { id: string };
    expect((await ask()).id).toBe((await ask()).id);
  }, 60_000);

  it('lists what may stand as model', async () => {
    const names: string[] = [];
    for await (const { id } of await openai.models.list()) names.push(id);
    expect(names).toEqual(expect.arrayContaining(['graft', 'graft/pumps', MODEL]));
    expect(await openai.models.retrieve(MODEL)).toMatchObject({ id: MODEL, owned_by: 'model' });
    await expect(openai.models.retrieve('nobody')).rejects.toMatchObject({ status: 404 });
  });

  it('embeds texts in floats and in base64 alike, and refuses token ids by name', async () => {
    const input = ['a pump', 'a valve'];
    const embedder = 'all-minilm-l6-v2';
    const floats = await openai.embeddings.create({ model: embedder, input, encoding_format: 'float' });
    // Without a format the client asks for base64 and decodes it.
    const decoded = await openai.embeddings.create({ model: embedder, input });
    expect(floats.data).toHaveLength(2);
    floats.data.forEach(({ embedding }, index) => {
      expect(embedding).toHaveLength(384);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
      decoded.data[index]!.embedding.forEach((value, at) => expect(value).toBeCloseTo(embedding[at]!, 6));
    });
    await expect(openai.embeddings.create({ model: embedder, input: [1, 2] })).rejects.toMatchObject({
      param: 'input[0]',
    });
    await expect(openai.embeddings.create({ model: 'other', input })).rejects.toMatchObject({ param: 'model' });
  }, 60_000);

  it('puts documents in the order of their likeness to a query', async () => {
    const documents = ['The valve is made of brass.', 'The pump runs at 37 bar.', 'Bread is baked at night.'];
    const response = await post('/v1/rerank', { model: 'graft', query: 'pressure of the pump', documents, top_n: 2 });
    const { results } = (await response.json()) as { results: { index: number; relevance_score: number }[] };
    expect(results.map(({ index }) => index)[0]).toBe(1);
    expect(results).toHaveLength(2);
    expect(results[0]!.relevance_score).toBeGreaterThan(results[1]!.relevance_score);
  }, 60_000);

  it('answers as /v1/openapi.json says', async () => {
    const document = await OpenApiDocument.of(graft.url);
    const wrong: string[] = [];
    const call = async (operation: string, names: Record<string, string> = {}, body?: object | FormData) => {
      const [method, path] = operation.split(' ') as [string, string];
      const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name]!);
      const isJson = body && !(body instanceof FormData);
      const response = await fetch(`${graft.url}/v1${place}`, {
        method: method.toUpperCase(),
        headers: { authorization: 'Bearer none', ...(isJson && { 'content-type': 'application/json' }) },
        ...(body && { body: isJson ? JSON.stringify(body) : body }),
      });
      const answer = (await response.json()) as { id: string };
      expect([operation, response.status]).toEqual([operation, 200]);
      wrong.push(...document.faultsOfAnswer(operation, response.status, answer).map((fault) => `${operation}${fault}`));
      return answer;
    };
    const upload = async (purpose: string, text: string): Promise<string> => {
      const form = new FormData();
      form.append('purpose', purpose);
      form.append('file', new Blob([text]), 'a.txt');
      return (await call('post /files', {}, form)).id;
    };
    const messages = [{ role: 'user', content: QUESTION }];
    await call('post /chat/completions', {}, { model: 'graft/pumps', messages });
    await call('post /chat/completions', {}, { model: MODEL, messages, max_tokens: 2, n: 2, logprobs: true });
    await call('post /embeddings', {}, { model: 'graft', input: 'x' });
    await call('post /embeddings', {}, { model: 'graft', input: ['x'], encoding_format: 'base64' });
    await call('post /rerank', {}, { model: 'graft', query: 'x', documents: ['x', { text: 'y' }] });
    await call('get /models');
    await call('get /models/{model}', { model: 'graft/pumps' });
    const { id } = await call('post /responses', {}, { model: 'graft/pumps', input: QUESTION });
    await call('get /responses/{id}', { id });
    await call('get /responses/{id}/input_items', { id });
    await call('delete /responses/{id}', { id });
    const rows = await upload('fine-tune', '{"messages": []}');
    await call('get /files/{id}', { id: rows });
    const job = await call('post /fine_tuning/jobs', {}, { model: MODEL, training_file: rows });
    for (const path of ['', '/{id}', '/{id}/events', '/{id}/checkpoints'])
      await call(`get /fine_tuning/jobs${path}`, { id: job.id });
    const file = await upload('assistants', 'The Orlo pump runs at 37 bar.');
    await call('get /files');
    const unnamed = (await call('post /vector_stores')).id;
    await call('post /vector_stores/{store}', { store: unnamed });
    const store = (await call('post /vector_stores', {}, { name: 'described' })).id;
    const batch = (await call('post /vector_stores/{store}/file_batches', { store }, { file_ids: [file] })).id;
    await openai.vectorStores.fileBatches.poll(store, batch, { pollIntervalMs: 100 });
    for (const path of ['', '/{store}', '/{store}/files', '/{store}/files/{file}', '/{store}/files/{file}/content'])
      await call(`get /vector_stores${path}`, { store, file });
    for (const path of ['', '/files'])
      await call(`get /vector_stores/{store}/file_batches/{batch}${path}`, { store, batch });
    await call('post /vector_stores/{store}/search', { store }, { query: 'pump' });
    await call('delete /vector_stores/{store}/files/{file}', { store, file });
    await call('delete /vector_stores/{store}', { store });
    await call('delete /files/{id}', { id: file });
    expect(wrong).toEqual([]);
  }, 120_000);

  it('stops the model when the client goes away', async () => {
    const controller = new AbortController();
    const stream = await openai.chat.completions.create(
      {
        model: MODEL,
        messages: [{ role: 'user', content: 'Count from one to three hundred.' }],
        stream: true,
        max_tokens: 400,
      },
      { signal: controller.signal },
    );
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    controller.abort();
    // Whoever asks next is not behind four hundred tokens of nobody's.
    const next = await openai.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'Say hi.' }],
      max_tokens: 2,
    });
    expect(next.usage!.completion_tokens).toBeLessThanOrEqual(2);
  }, 120_000);

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'serves OpenAI’s Python client',
    async () => {
      const script = `
import json, sys
from openai import OpenAI
given = json.load(sys.stdin)
client = OpenAI(base_url=given["url"] + "/v1", api_key="none", max_retries=0)
done = client.chat.completions.create(model="graft/pumps", messages=[{"role": "user", "content": given["question"]}])
streamed = ""
for chunk in client.chat.completions.create(model="graft/pumps", messages=[{"role": "user", "content": given["question"]}], stream=True):
    streamed += chunk.choices[0].delta.content or ""
vector = client.embeddings.create(model="all-minilm-l6-v2", input="a pump").data[0].embedding
formed = client.chat.completions.create(model=given["model"], messages=[{"role": "user", "content": "What is a pump?"}], temperature=0,
    response_format={"type": "json_schema", "json_schema": {"name": "kind", "strict": True, "schema": given["schema"]}}, logprobs=True, top_logprobs=1).choices[0]
asked = dict(model=given["model"], messages=[{"role": "developer", "content": "You tell stories."}, {"role": "user", "content": "Tell me of a ship."}],
    stop="zebra", n=2, temperature=1, seed=7, max_completion_tokens=12)
whole = [each.message.content for each in client.chat.completions.create(**asked).choices]
parts = ["", ""]
for chunk in client.chat.completions.create(**asked, stream=True):
    for each in chunk.choices:
        parts[each.index] += each.delta.content or ""
print(json.dumps({"whole": whole, "parts": parts, "object": json.loads(formed.message.content), "logprobs": [each.logprob for each in formed.logprobs.content], "text": done.choices[0].message.content, "streamed": streamed, "dimensions": len(vector)}))
`;
      const found = await (python as Python).ask<{
        text: string;
        streamed: string;
        dimensions: number;
        object: unknown;
        logprobs: number[];
        whole: string[];
        parts: string[];
      }>(script, { url: graft.url, question: QUESTION, model: MODEL, schema: KIND });
      expect(keepsTo(found.object, KIND)).toBe(true);
      expect(found.logprobs.every((each) => each <= 0)).toBe(true);
      expect(found.logprobs.length).toBeGreaterThan(3);
      expect(found.text).toContain('37 bar');
      expect(found.streamed).toBe(found.text);
      expect(found.dimensions).toBe(384);
      expect([found.whole.length, found.parts]).toEqual([2, found.whole]);
    },
    300_000,
  );

  it('refuses every paid address where the budget is spent, and answers again once it is raised', async () => {
    const set = (requests: number | null) => graphql.request(SetBudgetDocument, { input: { window: 'DAY', requests } });
    const messages = [{ role: 'user', content: QUESTION }];
    const calls: [string, object][] = [
      ['/v1/chat/completions', { model: MODEL, messages, max_completion_tokens: 4 }],
      ['/v1/chat/completions', { model: MODEL, messages, max_completion_tokens: 4, stream: true }],
      ['/v1/responses', { model: MODEL, input: QUESTION, max_output_tokens: 4 }],
      ['/v1/responses', { model: MODEL, input: QUESTION, max_output_tokens: 4, stream: true, store: false }],
      ['/v1/embeddings', { model: 'all-minilm-l6-v2', input: 'pump' }],
      ['/v1/rerank', { model: 'all-minilm-l6-v2', query: 'pump', documents: ['valve'] }],
    ];
    const answered = () =>
      Promise.all(
        calls.map(async ([path, body]) => {
          const response = await post(path, body);
          return `${response.status} ${/insufficient_quota/.exec(await response.text())?.[0] ?? ''}`;
        }),
      );
    await set(0);
    expect(await answered()).toEqual(calls.map(() => '429 insufficient_quota'));
    await expect(graphql.request(AskDocument, { input: { question: QUESTION } })).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
    });
    await set(1);
    const two = await post('/v1/chat/completions', { model: MODEL, messages, max_completion_tokens: 4, n: 2 });
    expect(two.status).toBe(429);
    await set(1_000);
    expect(await answered()).toEqual(calls.map(() => '200 '));
    const { me } = await graphql.request(BudgetsDocument, {});
    expect(me.workspace.budgets[0]).toMatchObject({ window: 'DAY', requests: 1_000, requestsLeft: 993 });
    await set(null);
  }, 120_000);
});
