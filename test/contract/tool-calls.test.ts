import OpenAI from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import { CreateCollectionDocument } from '../../src/client/operations/index.js';
import { keepsTo } from '../support/json-schema.js';
import { OpenApiDocument } from '../support/openapi-document.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { serveTinyModel } from '../support/tiny-served.js';
import { TOOL_TEMPLATES } from '../unit/prompting/tool-templates.js';

const WEATHER = {
  type: 'object',
  properties: { town: { enum: ['Bern', 'Köln'] }, days: { enum: [1, 2] } },
  required: ['town', 'days'],
  additionalProperties: false,
};
const tool = (name: string, parameters?: object) => ({
  type: 'function' as const,
  function: { name, description: `The ${name}.`, ...(parameters && { parameters: { ...parameters } }) },
});
const TOOLS = [tool('weather', WEATHER), tool('time')];
const ASKED = [{ role: 'user' as const, content: 'Will it rain?' }];
const call = (id: string, name = 'weather', args = '{"town":"Bern","days":1}') => ({
  id,
  type: 'function' as const,
  function: { name, arguments: args },
});
const called = (...ids: string[]) => ({
  role: 'assistant' as const,
  content: null,
  tool_calls: ids.map((id) => call(id)),
});
const told = (id: string) => ({ role: 'tool' as const, tool_call_id: id, content: '{"rain": true}' });

describe('functions that a client’s model may call', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let openai: OpenAI;
  let graphql: GraftClient;

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    graphql = new GraftClient(graft.url);
    openai = new OpenAI({ baseURL: `${graft.url}/v1`, apiKey: 'none', maxRetries: 0 });
    await graphql.request(CreateCollectionDocument, { input: { name: 'library' } });
    await serveTinyModel(graphql, openai, home.path, { chatTemplate: TOOL_TEMPLATES.tagged });
  }, 300_000);
  afterAll(async () => {
    graphql.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
  });

  type Body = Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>;
  const ask = (more: Body) =>
    openai.chat.completions.create({ model: 'tiny', messages: ASKED, tools: TOOLS, max_tokens: 300, ...more });
  const callsOf = ({ choices }: OpenAI.ChatCompletion) =>
    (choices[0]!.message.tool_calls ?? []).map(
      (each) => (each as OpenAI.ChatCompletionMessageFunctionToolCall).function,
    );
  const requireKept = (calls: readonly { name: string; arguments: string }[]) => {
    for (const { name, arguments: args } of calls) {
      const schema = name === 'weather' ? WEATHER : { type: 'object' };
      expect([args, keepsTo(JSON.parse(args), schema)]).toEqual([args, true]);
    }
  };

  it('are called where they have to be, with arguments that keep to their schemas', async () => {
    for (let seed = 0; seed < 4; seed += 1) {
      const completion = await ask({ tool_choice: 'required', temperature: 1, seed });
      const [choice] = completion.choices;
      expect([choice!.finish_reason, choice!.message.content]).toEqual(['tool_calls', null]);
      const calls = callsOf(completion);
      expect(calls.length).toBeGreaterThan(0);
      requireKept(calls);
      const ids = choice!.message.tool_calls!.map(({ id }) => id);
      expect(new Set(ids).size).toBe(calls.length);
    }
  }, 120_000);

  it('are called by name, and once where calls in parallel aren’t wanted', async () => {
    const tool_choice = { type: 'function' as const, function: { name: 'time' } };
    const calls = callsOf(await ask({ tool_choice, parallel_tool_calls: false, temperature: 1, seed: 3 }));
    expect(calls).toEqual([{ name: 'time', arguments: '{}' }]);
  }, 60_000);

  it('are not called where that is asked, and may be left alone', async () => {
    const none = await ask({ tool_choice: 'none', max_tokens: 8 });
    expect(none.choices[0]!.message.tool_calls).toBeUndefined();
    const free = await ask({ max_tokens: 8 });
    expect(['stop', 'length', 'tool_calls']).toContain(free.choices[0]!.finish_reason);
  }, 60_000);

  it('are called alike in a stream and for each choice', async () => {
    const body = { tool_choice: 'required' as const, temperature: 1, seed: 5, n: 2 };
    const whole = await ask(body);
    const names: string[][] = [[], []];
    const args: string[][] = [[], []];
    const finished: (string | null)[] = [null, null];
    const stream = await openai.chat.completions.create({
      ...{ model: 'tiny', messages: ASKED, tools: TOOLS, max_tokens: 300 },
      ...body,
      stream: true,
    });
    for await (const { choices } of stream)
      for (const { index, delta, finish_reason } of choices) {
        expect(delta.content ?? '').toBe('');
        for (const { index: place, function: part } of delta.tool_calls ?? []) {
          names[index]![place] = part!.name!;
          args[index]![place] = (args[index]![place] ?? '') + part!.arguments!;
        }
        finished[index] = finish_reason ?? finished[index]!;
      }
    expect(finished).toEqual(['tool_calls', 'tool_calls']);
    whole.choices.forEach(({ message }, index) => {
      const calls = message.tool_calls!.map((each) => (each as OpenAI.ChatCompletionMessageFunctionToolCall).function);
      expect([names[index], args[index]]).toEqual([calls.map(({ name }) => name), calls.map((each) => each.arguments)]);
    });
  }, 120_000);

  it('give results that the model is shown, of this question and of earlier ones', async () => {
    const lengthOf = async (messages: OpenAI.ChatCompletionMessageParam[], tools = TOOLS) =>
      (await ask({ messages, tools, tool_choice: 'none', max_tokens: 4 })).usage!.prompt_tokens;
    const asked = await lengthOf([...ASKED, called('a'), told('a')]);
    expect(asked).toBeGreaterThan((await lengthOf([...ASKED, called('a'), { ...told('a'), content: '' }])) + 3);
    const twice = [...ASKED, called('a', 'b'), told('b'), told('a')];
    expect(await lengthOf(twice)).toBeGreaterThan(asked);
    const later = [...twice, { role: 'assistant' as const, content: 'It will.' }, ...ASKED];
    expect(await lengthOf(later)).toBeGreaterThan(await lengthOf(twice));
    // Whoever has run all that was called may leave the functions out.
    expect(await lengthOf(later, [])).toBeLessThan(await lengthOf(later));
  }, 120_000);

  it('are a part of the answer’s record', async () => {
    const completion = await ask({ tool_choice: 'required' });
    const query = `query ($id: ID!) { node(id: $id) { ... on Answer {
      text route { strategy } output { ... on CallsOutput { said calls { name arguments } } } } } }`;
    const { node } = await graphql.request<{ node: object }>(query, { id: completion.id });
    expect(node).toMatchObject({ route: { strategy: 'BASE' }, output: { said: '', calls: callsOf(completion) } });
  }, 60_000);

  it('leave the gateway’s answers as /v1/openapi.json has them', async () => {
    const document = await OpenApiDocument.of(graft.url);
    const body = { model: 'tiny', messages: [...ASKED, called('a'), told('a')], tools: TOOLS, tool_choice: 'required' };
    expect(document.faultsOfRequest('post /chat/completions', body)).toEqual([]);
    const completion = await ask({ tool_choice: 'required' });
    expect(document.faultsOfAnswer('post /chat/completions', 200, completion)).toEqual([]);
  }, 60_000);

  it.each<[string, object, string]>([
    ['what chooses documents by itself', { model: 'graft' }, 'tools'],
    ['documents', { model: 'graft/library' }, 'tools'],
    ['a model without a form for them', { model: 'smollm2-135m-instruct' }, 'tools'],
    ['a function of no name', { tools: [{ type: 'function', function: {} }] }, 'tools'],
    ['no name', { tools: [tool('')] }, 'tools'],
    ['a name with a blank', { tools: [tool('the weather')] }, 'tools'],
    ['one name twice', { tools: [tool('time'), tool('time')] }, 'tools'],
    ['another tool', { tools: [{ type: 'web_search' }] }, 'tools'],
    ['too many', { tools: Array.from({ length: 129 }, (_, index) => tool(`f${index}`)) }, 'tools'],
    ['long ones', { tools: [tool('time', { description: 'x'.repeat(70_000) })] }, 'tools'],
    [
      'a strict one that can’t be kept',
      { tools: [{ type: 'function', function: { name: 'f', strict: true, parameters: { pattern: 'x' } } }] },
      'tools',
    ],
    ['a choice that isn’t offered', { tool_choice: { type: 'function', function: { name: 'snow' } } }, 'tool_choice'],
    ['a choice of none', { tools: [], tool_choice: 'required' }, 'tool_choice'],
    ['a result of no call', { messages: [...ASKED, told('a')] }, 'messages'],
    ['a call without a result', { messages: [...ASKED, called('a', 'b'), told('a'), ...ASKED] }, 'messages'],
    ['a call that ends it', { messages: [...ASKED, called('a')] }, 'messages'],
    ['a call before a question', { messages: [called('a'), told('a'), ...ASKED] }, 'messages'],
    ['a schema beside them', { response_format: { type: 'json_object' } }, 'response_format'],
    ['the functions of old', { functions: [{ name: 'f' }] }, 'functions'],
  ])('are refused by the field’s name: %s', async (_, more, param) => {
    const response = await fetch(`${graft.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'tiny', messages: ASKED, tools: TOOLS, ...more }),
    });
    const { error } = (await response.json()) as { error: { param: string; message: string } };
    expect([response.status, error.param.split(/[.[]/)[0], error.message]).toEqual([400, param, expect.any(String)]);
  });
});
