import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSchema } from '../../src/answer/ask/form/read-schema.js';
import { ANY_OBJECT, type GenerateRequest, type ModelFile } from '../../src/worker-protocol/index.js';
import { keepsTo } from '../support/json-schema.js';
import { writeTinyModel } from '../support/tiny-model.js';
import { collect, doneOf, sharedWorker, workspaceId, type TestWorker } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), 'graft-form-'));
const model: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const short = { type: 'string', maxLength: 6 };
/** Schemas whose texts have few tokens at most, so that each ends by itself. */
const SCHEMAS: Record<string, object> = {
  scalars: {
    type: 'object',
    properties: {
      text: short,
      whole: { type: 'integer' },
      number: { type: 'number' },
      yes: { type: 'boolean' },
      no: { type: 'null' },
    },
    required: ['text', 'whole', 'number', 'yes', 'no'],
    additionalProperties: false,
  },
  optional: { type: 'object', properties: { a: short, b: { type: 'boolean' }, c: { enum: [1, 12, 123] } } },
  'required in the middle': {
    type: 'object',
    properties: { a: { type: 'boolean' }, b: { type: 'integer' }, c: { type: 'null' } },
    required: ['b'],
  },
  'named, but not described': { type: 'object', required: ['x'], additionalProperties: { type: 'boolean' } },
  values: { enum: ['red', 'reddish', 'r"\\\n', '東京', '', 1, 10, -3.5, true, null] },
  lists: {
    type: 'array',
    items: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 2 },
    minItems: 2,
    maxItems: 3,
  },
  lengths: { type: 'array', items: { type: 'string', minLength: 2, maxLength: 4 }, minItems: 1, maxItems: 2 },
  'an empty list': { type: 'array', maxItems: 0 },
  'an empty object': { type: 'object', properties: {}, additionalProperties: false },
  alternatives: {
    anyOf: [
      {
        type: 'object',
        properties: { kind: { const: 'cat' }, lives: { type: 'integer' } },
        required: ['kind', 'lives'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: { kind: { const: 'car' }, doors: { enum: [2, 4] } },
        required: ['kind', 'doors'],
        additionalProperties: false,
      },
      { type: 'null' },
    ],
  },
  'two types': { type: ['string', 'boolean', 'array'], maxLength: 3, items: { type: 'null' }, maxItems: 2 },
  definitions: {
    type: 'array',
    items: { $ref: '#/$defs/point' },
    minItems: 1,
    maxItems: 2,
    $defs: { point: { type: 'object', properties: { x: { type: 'integer' } }, required: ['x'] } },
  },
};

describe('an answer that is held to a JSON schema', () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  afterAll(() => worker.dispose());
  const generate = async (more: Partial<GenerateRequest>) =>
    doneOf(
      await collect(
        worker.client.generate({
          workspaceId,
          model,
          prompt: [{ text: 'The keeper of the lighthouse wrote', special: false }],
          maxTokens: 600,
          temperature: 0,
          stop: [],
          ...more,
        }),
      ),
    );

  it.each(Object.entries(SCHEMAS))('is JSON that keeps to it, whatever is drawn: %s', async (_, schema) => {
    const json = readSchema(schema);
    for (let seed = 0; seed < 6; seed += 1) {
      const { text, reason } = await generate({ json, temperature: seed === 0 ? 0 : 2, seed });
      expect(reason).toBe('eos');
      const value: unknown = JSON.parse(text);
      // This model writes bytes that are no text, which become more characters than the grammar counted.
      if (!text.includes('\ufffd')) expect([text, keepsTo(value, schema)]).toEqual([text, true]);
    }
  });

  it('is a beginning of JSON where its limit cuts it off', async () => {
    const { text, reason } = await generate({ json: ANY_OBJECT, maxTokens: 5, temperature: 2, seed: 3 });
    expect(reason === 'length' || reason === 'eos').toBe(true);
    expect(text.startsWith('{')).toBe(true);
  });

  it('is not taken for a loop where it repeats itself', async () => {
    const schema = { type: 'array', items: { const: 'a' }, minItems: 90, maxItems: 90 };
    const { text, reason } = await generate({ json: readSchema(schema) });
    expect([reason, (JSON.parse(text) as string[]).length]).toEqual(['eos', 90]);
  });

  it('is held to the largest schema that is taken', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `property${i}`);
    const largest = {
      type: 'object',
      properties: {
        a: { type: 'string', maxLength: 1_000 },
        b: { type: 'array', items: { type: 'boolean' }, maxItems: 999 },
        c: { enum: Array.from({ length: 500 }, (_, i) => `value ${i}`) },
        ...Object.fromEntries(names.map((name) => [name, { type: 'boolean' }])),
      },
      required: names,
    };
    const { generatedTokens } = await generate({ json: readSchema(largest), maxTokens: 12, temperature: 1, seed: 1 });
    expect(generatedTokens).toBe(12);
  });

  it.each<[string, Partial<GenerateRequest>]>([
    ['a grammar', { grammar: 'root ::= "a"' }],
    ['texts to copy', { constraint: { copyFrom: ['a'] } }],
  ])('has not %s beside it', async (_, more) => {
    await expect(generate({ json: ANY_OBJECT, ...more })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('how probable the tokens of an answer were', () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await sharedWorker();
  });
  afterAll(() => worker.dispose());
  const generate = async (more: Partial<GenerateRequest> = {}) =>
    doneOf(
      await collect(
        worker.client.generate({
          workspaceId,
          model,
          prompt: [{ text: 'The keeper of the lighthouse wrote', special: false }],
          maxTokens: 40,
          temperature: 0,
          stop: [],
          ...more,
        }),
      ),
    );
  const bytesOf = (tokens: readonly { bytes: string }[]): string =>
    Buffer.from(tokens.map(({ bytes }) => bytes).join(''), 'latin1').toString('utf8');

  it('is told without changing the answer, at temperature 0 and with a seed, and of a form', async () => {
    const json = readSchema(SCHEMAS.alternatives);
    for (const asked of [{}, { temperature: 1, seed: 5 }, { json }, { json, temperature: 1, seed: 5 }]) {
      const plain = await generate(asked);
      const told = await generate({ ...asked, probable: 3 });
      expect([told.text, told.reason]).toEqual([plain.text, plain.reason]);
      expect(plain.tokens).toBeUndefined();
      expect(told.tokens!.length).toBeGreaterThan(told.generatedTokens - 8);
      expect(bytesOf(told.tokens!).startsWith(told.text)).toBe(true);
    }
  });

  it('tells every token by its bytes, the chosen one first at temperature 0, as probable as the model says', async () => {
    const { tokens, text } = await generate({ probable: 4 });
    expect(bytesOf(tokens!).startsWith(text)).toBe(true);
    for (const { bytes, logProbability, top } of tokens!) {
      expect(top).toHaveLength(4);
      expect(top[0]).toEqual({ bytes, logProbability });
      expect(top.map((each) => each.logProbability)).toEqual(
        top.map((each) => each.logProbability).sort((a, b) => b - a),
      );
      expect(top.reduce((sum, each) => sum + Math.exp(each.logProbability), 0)).toBeLessThanOrEqual(1.0001);
    }
    const scored = await worker.client.scoreText({
      workspaceId,
      model,
      given: [{ text: 'The keeper of the lighthouse wrote', special: false }],
      text,
      top: 1,
    });
    expect(tokens![0]!.logProbability).toBeCloseTo(scored.topLogProbabilities[0]!, 1);
  });

  it('is told of the tokens of the text alone, not of the text that ends it', async () => {
    const whole = await generate({ maxTokens: 30, probable: 0 });
    const stop = whole.text.slice(9, 13);
    const { text, tokens } = await generate({ maxTokens: 30, probable: 0, stop: [stop] });
    expect(text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
    expect(tokens!.length).toBeLessThan(whole.tokens!.length);
    expect(bytesOf(tokens!).startsWith(text)).toBe(true);
    expect(tokens!.every(({ top }) => top.length === 0)).toBe(true);
  });

  it('is not told of a copy', async () => {
    await expect(generate({ constraint: { copyFrom: ['a b'] }, probable: 0 })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });
});
