import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSchema } from '../../src/answer/ask/form/read-schema.js';
import { readCalls } from '../../src/answer/ask/word/word-calls.js';
import type { CallBond, CallForm, GenerateRequest, ModelFile } from '../../src/worker-protocol/index.js';
import { keepsTo } from '../support/json-schema.js';
import { TINY_TOKENS, writeTinyModel } from '../support/tiny-model.js';
import { collect, doneOf, sharedWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), 'graft-calls-'));
const model: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCHEMAS: Record<string, object> = {
  weather: {
    type: 'object',
    properties: { town: { enum: ['Bern', 'Köln', '"}\n</tool_call>'] }, days: { enum: [1, 2] } },
    required: ['town', 'days'],
    additionalProperties: false,
  },
  time: { type: 'object', properties: {}, additionalProperties: false },
};
const functions = Object.entries(SCHEMAS).map(([name, schema]) => ({ name, arguments: readSchema(schema) }));

const FORMS: Record<string, CallForm> = {
  tagged: { open: '<tool_call>\n{"name": "', middle: '", "arguments": ', close: '}\n</tool_call>', between: '\n' },
  'opened by a control token': { open: '<|im_start|>', middle: '\n', close: '<|im_start|>', between: ' ' },
  bare: { open: '{"name": "', middle: '", "parameters": ', close: '}', between: null },
};

describe('an answer that may call functions', () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  afterAll(() => worker.dispose());
  const generate = async (calls: CallBond, more: Partial<GenerateRequest> = {}) =>
    doneOf(
      await collect(
        worker.client.generate({
          workspaceId,
          model,
          prompt: [{ text: 'The keeper of the lighthouse asked', special: false }],
          maxTokens: 900,
          temperature: 0,
          stop: [],
          calls,
          ...more,
        }),
      ),
    );

  it.each(Object.entries(FORMS))('calls those that it has to, as their schemas say: %s', async (_, form) => {
    for (let seed = 0; seed < 8; seed += 1) {
      const { text, reason } = await generate({ ...form, functions, isRequired: true }, { temperature: 2, seed });
      expect(reason).toBe('eos');
      const { words, calls } = readCalls(text, form);
      expect([words, calls.length > 0]).toEqual(['', true]);
      for (const { name, arguments: args } of calls)
        expect([args, keepsTo(JSON.parse(args), SCHEMAS[name]!)]).toEqual([args, true]);
    }
  });

  it.each(Object.entries(FORMS))('ends after eight calls, or one where there may be but one: %s', async (_, form) => {
    const gap = TINY_TOKENS.findIndex(({ bytes }) => bytes.toString() === (form.between ?? '\n'));
    const calls = { ...form, functions, isRequired: true };
    const { text } = await generate(calls, { temperature: 1, seed: 1, sampling: { logitBias: { [gap]: 100 } } });
    expect(readCalls(text, form).calls).toHaveLength(form.between === null ? 1 : 8);
  });

  it('calls the one that is asked for, once where several are not wanted', async () => {
    const form = { ...FORMS.tagged!, between: null };
    for (let seed = 0; seed < 4; seed += 1) {
      const only = functions.filter(({ name }) => name === 'time');
      const { text } = await generate({ ...form, functions: only, isRequired: true }, { temperature: 2, seed });
      expect(readCalls(text, form).calls).toEqual([{ name: 'time', arguments: '{}' }]);
    }
  });

  it.each(Object.entries(FORMS))('writes no text that looks like a call and is none: %s', async (_, form) => {
    for (let seed = 0; seed < 12; seed += 1) {
      const { text } = await generate(
        { ...form, functions, isRequired: false },
        { temperature: 1.5, seed, maxTokens: 200 },
      );
      const { words, calls } = readCalls(text, form);
      expect(words.includes(form.open.trim())).toBe(false);
      for (const { name, arguments: args } of calls) expect(keepsTo(JSON.parse(args), SCHEMAS[name]!)).toBe(true);
    }
  });

  it.each<[string, Partial<GenerateRequest>]>([
    ['a grammar', { grammar: 'root ::= "a"' }],
    ['a form', { json: readSchema({ type: 'boolean' }) }],
    ['texts to copy', { constraint: { copyFrom: ['a'] } }],
  ])('has not %s beside its calls', async (_, more) => {
    const calls = { ...FORMS.tagged!, functions, isRequired: true };
    await expect(generate(calls, more)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('can be offered as many functions as are taken', async () => {
    const many = Array.from({ length: 128 }, (_, index) => ({ ...functions[0]!, name: `function_${index}` }));
    const { text } = await generate(
      { ...FORMS.tagged!, functions: many, isRequired: true },
      { temperature: 1, seed: 1 },
    );
    expect(readCalls(text, FORMS.tagged!).calls.length).toBeGreaterThan(0);
  });
});
