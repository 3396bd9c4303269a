import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RefusedField } from '../../../src/server/openai/errors.js';
import { chatRequest } from '../../../src/server/openai/chat-request.js';
import { packageRoot } from '../../../src/platform/package-root.js';

const NEEDED = { model: 'graft', messages: [{ role: 'user', content: 'Why?' }] };

const TOOLS = [{ type: 'function', function: { name: 'f' } }];

/** Values of each field that would change an answer, beside what else they need. */
const HONOURED: Record<string, object> = {
  messages: { messages: [{ role: 'user', content: 'How?' }] },
  model: { model: 'other' },
  max_tokens: { max_tokens: 7 },
  max_completion_tokens: { max_completion_tokens: 7 },
  temperature: { temperature: 1 },
  seed: { seed: 3 },
  n: { n: 2 },
  stop: { stop: '.' },
  top_p: { top_p: 1 },
  frequency_penalty: { frequency_penalty: 0 },
  presence_penalty: { presence_penalty: -1 },
  logit_bias: { logit_bias: { 50256: -100 } },
  stream: { stream: true },
  stream_options: { stream: true, stream_options: { include_usage: true } },
  logprobs: { logprobs: true },
  top_logprobs: { logprobs: true, top_logprobs: 3 },
  response_format: { response_format: { type: 'json_object' } },
  user: { user: 'u' },
  safety_identifier: { safety_identifier: 's' },
  tools: { tools: TOOLS },
  tool_choice: { tools: TOOLS, tool_choice: 'required' },
  parallel_tool_calls: { tools: TOOLS, parallel_tool_calls: false },
};

const REFUSED: Record<string, unknown> = {
  audio: { voice: 'alloy', format: 'mp3' },
  function_call: { name: 'f' },
  functions: [{ name: 'f' }],
  modalities: ['text', 'audio'],
  moderation: { model: 'omni-moderation-latest' },
  web_search_options: {},
};

/** They name, keep or place a request; its answer is the same. */
const SAYS_NOTHING: Record<string, unknown> = {
  metadata: { a: 'b' },
  prediction: { type: 'content', content: 'x' },
  reasoning_effort: 'high',
  service_tier: 'priority',
  verbosity: 'low',
  prompt_cache_key: 'k',
  prompt_cache_options: { mode: 'auto' },
  prompt_cache_retention: '24h',
  store: true,
};

/** What OpenAI's own client knows of a request. */
function fieldsOfClient(): string[] {
  const path = ['node_modules', 'openai', 'resources', 'chat', 'completions', 'completions.d.ts'];
  const declared = readFileSync(join(packageRoot(), ...path), 'utf8');
  const [, body] = /export interface ChatCompletionCreateParamsBase \{\n([\s\S]*?)\n\}/.exec(declared)!;
  return [...body!.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name!);
}

const read = (more: object) => chatRequest({ ...NEEDED, ...more });
/** What is answered with, without the names that are told back. */
const answeredWith = (more: object) => {
  const { ignored: _ignored, options: _options, ...request } = read(more);
  return request;
};

describe('every field of OpenAI’s chat request', () => {
  it('is honoured, refused by its name, or says nothing that would change the answer', () => {
    const sorted = [HONOURED, REFUSED, SAYS_NOTHING].flatMap((group) => Object.keys(group)).sort();
    expect(sorted).toEqual(fieldsOfClient().sort());
  });

  it.each(Object.entries(HONOURED))('is honoured: %s', (name, asked) => {
    const { [name as keyof typeof asked]: _one, ...others } = asked;
    expect(read(asked)).not.toEqual(read(others));
  });

  it.each(Object.entries(REFUSED))('is refused by its name: %s', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(RefusedField);
    expect(() => read({ [name]: value })).toThrow(expect.objectContaining({ param: name }));
  });

  it.each(Object.entries(SAYS_NOTHING))('changes nothing, and is named as ignored: %s', (name, value) => {
    expect(answeredWith({ [name]: value })).toEqual(answeredWith({}));
    expect(read({ [name]: value }).ignored).toEqual([name]);
  });

  it.each(Object.keys({ ...REFUSED, ...SAYS_NOTHING }))('counts as left out where it is null: %s', (name) => {
    expect(read({ [name]: null })).toEqual(read({}));
  });
});

describe('system and developer messages', () => {
  it('are one, a paragraph each, wherever they stand', () => {
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'How?' },
      { role: 'assistant', content: 'So.' },
      { role: 'assistant', content: null },
      { role: 'user', content: 'When?' },
      { role: 'system', content: [{ type: 'text', text: 'Answer in French.' }] },
      { role: 'user', content: 'Why?' },
    ];
    const { system, question, earlier, options } = read({ messages });
    expect({ system, question, earlier }).toEqual({
      system: 'Be brief.\n\nAnswer in French.',
      question: 'Why?',
      earlier: [
        { question: 'How?', answer: 'So.' },
        { question: 'When?', answer: null },
      ],
    });
    expect(options).toEqual(['system']);
  });
});

it.each([0, 9, 1.5, -1])('choices are 1 to 8, not %j', (n) => {
  expect(() => read({ n })).toThrow(expect.objectContaining({ param: 'n' }));
});

describe('log-probabilities', () => {
  it.each([21, -1, 1.5, '3'])('are told of 0 to 20 tokens beside each, not of %j', (top) => {
    expect(() => read({ logprobs: true, top_logprobs: top })).toThrow(
      expect.objectContaining({ param: 'top_logprobs' }),
    );
  });

  it('need to be asked for before others are told beside them', () => {
    expect(() => read({ top_logprobs: 2 })).toThrow(expect.objectContaining({ param: 'top_logprobs' }));
    expect(read({ logprobs: true, top_logprobs: 20 }).probable).toBe(20);
    expect(read({ logprobs: true }).probable).toBe(0);
    expect(read({ logprobs: false, top_logprobs: 0 }).probable).toBeNull();
  });
});

describe('the form of an answer', () => {
  const schema = (of: unknown) => ({ type: 'json_schema', json_schema: { name: 'n', strict: true, schema: of } });

  it.each([
    ['another type', { type: 'xml' }],
    ['a schema of another type', { type: 'json_object', json_schema: { name: 'n', schema: {} } }],
    ['no schema', { type: 'json_schema', json_schema: { name: 'n' } }],
    ['no name', { type: 'json_schema', json_schema: { schema: { type: 'object' } } }],
    ['a keyword that nothing keeps', schema({ type: 'string', pattern: '^a+$' })],
    ['a schema that is a list', schema([])],
  ])('is refused by its field: %s', (_, format) => {
    expect(() => read({ response_format: format })).toThrow(/./);
    try {
      read({ response_format: format });
    } catch (error) {
      expect((error as RefusedField).param).toMatch(/^response_format/);
    }
  });

  it('is text where nobody says otherwise', () => {
    expect(read({ response_format: { type: 'text' } })).toEqual(read({}));
  });
});
