import { preprocessText, PreprocessingStep } from '../../../src/sources/data/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { checkedQuestion, MAX_QUESTION_CHARACTERS, questionDigest } from '../../../src/answer/ask/question.js';

const code = (expected: string, field: string) => expect.objectContaining({ code: expected, field }) as Error;

describe('checkedQuestion', () => {
  it('fills in the defaults', () => {
    expect(checkedQuestion({ question: ' Why? ' })).toEqual({
      text: 'Why?',
      collections: null,
      strategy: 'AUTO',
      adapter: null,
      model: null,
      task: null,
      dataset: null,
      minConfidence: null,
      maxErrorRate: null,
      wording: null,
      conversationId: null,
      entity: null,
      features: [],
      preprocessing: [],
      generation: { maxTokens: 96, temperature: 0, seed: null },
    });
  });

  it.each([
    ['an empty one', '', 'BAD_USER_INPUT'],
    ['one of white space', ' \n\t', 'BAD_USER_INPUT'],
    ['NUL', 'a\0b', 'BAD_USER_INPUT'],
    ['a lone surrogate', 'a\ud800b', 'BAD_USER_INPUT'],
    ['one that is too long', 'x'.repeat(MAX_QUESTION_CHARACTERS + 1), 'QUESTION_TOO_LONG'],
  ])('refuses %s', (_, question, expected) => {
    expect(() => checkedQuestion({ question })).toThrow(code(expected, 'input.question'));
  });

  it('puts the question through each step once, since each reads it as a whole', () => {
    const { HTML, MASK_PII } = PreprocessingStep;
    expect(() => checkedQuestion({ question: 'Why?', preprocessing: [MASK_PII, HTML, MASK_PII] })).toThrow(
      code('BAD_USER_INPUT', 'input.preprocessing'),
    );
  });

  it('puts the question through the steps in their order, before anything reads it', () => {
    const { HTML, MASK_PII, WHITESPACE } = PreprocessingStep;
    const question = '<p>Is&nbsp; ana@example.org   a   customer?</p>';
    const steps = [HTML, MASK_PII, WHITESPACE];
    expect(checkedQuestion({ question, preprocessing: steps })).toMatchObject({
      text: preprocessText(question, steps).text,
      preprocessing: steps,
    });
    expect(checkedQuestion({ question, preprocessing: steps }).text).toBe('Is [EMAIL] a customer?');
    expect(() => checkedQuestion({ question: '<br>', preprocessing: [HTML] })).toThrow(
      code('BAD_USER_INPUT', 'input.question'),
    );
    expect(() => checkedQuestion({ question, preprocessing: Array<PreprocessingStep>(17).fill(HTML) })).toThrow(
      code('BAD_USER_INPUT', 'input.preprocessing'),
    );
  });

  it('reads features of an entity only, each view once', () => {
    const question = 'Why?';
    expect(checkedQuestion({ question, entity: 'customer:1', features: ['plans', 'b'] })).toMatchObject({
      entity: 'customer:1',
      features: ['plans', 'b'],
    });
    expect(() => checkedQuestion({ question, features: ['plans'] })).toThrow(code('BAD_USER_INPUT', 'input.entity'));
    for (const entity of ['', 'a\0', 'x'.repeat(201)])
      expect(() => checkedQuestion({ question, entity, features: ['plans'] })).toThrow(
        code('BAD_USER_INPUT', 'input.entity'),
      );
    for (const features of [[], ['a', 'a'], ['no/name'], Array.from({ length: 21 }, (_, i) => `v${i}`)])
      expect(() => checkedQuestion({ question, entity: 'customer:1', features })).toThrow(
        code('BAD_USER_INPUT', 'input.features'),
      );
  });

  it('states the limit in the message', () => {
    expect(() => checkedQuestion({ question: 'x'.repeat(9_000) })).toThrow('8000');
  });

  it.each([
    [{ maxTokens: 0 }, 'maxTokens'],
    [{ maxTokens: 513 }, 'maxTokens'],
    [{ maxTokens: 1.5 }, 'maxTokens'],
    [{ temperature: -0.1 }, 'temperature'],
    [{ temperature: 2.1 }, 'temperature'],
    [{ temperature: NaN }, 'temperature'],
    [{ seed: -1 }, 'seed'],
    [{ seed: 0.5 }, 'seed'],
    [{ seed: 2 ** 32 }, 'seed'],
  ])('refuses %j', (generation, name) => {
    expect(() => checkedQuestion({ question: 'Why?', generation })).toThrow(
      code('BAD_USER_INPUT', `input.generation.${name}`),
    );
  });

  it('takes an adapter with the strategies that apply one, and with no other', () => {
    for (const strategy of ['ADAPTER', 'HYBRID'] as const) {
      expect(checkedQuestion({ question: 'Why?', strategy, adapter: 'a@3' })).toMatchObject({
        strategy,
        adapter: 'a@3',
      });
    }
    expect(() => checkedQuestion({ question: 'Why?', strategy: 'ADAPTER' })).toThrow(
      code('BAD_USER_INPUT', 'input.adapter'),
    );
    expect(checkedQuestion({ question: 'Why?', strategy: 'HYBRID' }).adapter).toBe('reader');
    expect(() => checkedQuestion({ question: 'Why?', adapter: 'a' })).toThrow(code('BAD_USER_INPUT', 'input.adapter'));
  });

  it('refuses no collections, too many, and names that none can have', () => {
    for (const collections of [[], Array.from({ length: 51 }, (_, i) => `c${i}`), ['no/name'], ['a\0']])
      expect(() => checkedQuestion({ question: 'Why?', collections })).toThrow(
        code('BAD_USER_INPUT', 'input.collections'),
      );
  });

  it('has one digest for one meaning', () => {
    const digest = (input: object) => questionDigest(checkedQuestion({ question: 'Why?', ...input }));
    expect(digest({ collections: ['b', 'a', 'b'] })).toBe(digest({ collections: ['a', 'b'] }));
    expect(digest({ requestId: 'x' })).toBe(digest({ generation: { maxTokens: 96 } }));
    expect(digest({ strategy: 'BASE' })).not.toBe(digest({}));
    expect(digest({ generation: { seed: 1 } })).not.toBe(digest({}));
  });

  it('has a digest of each caller’s own only where it follows what that caller asked before', () => {
    const callers = [newId(), newId(), null];
    const digests = (question: string, conversationId: string | null) =>
      new Set(
        callers.map((caller) => questionDigest(checkedQuestion({ question, conversationId }), null, null, caller)),
      ).size;
    expect(digests('And how much?', 'support')).toBe(3);
    expect(digests('And how much?', null)).toBe(1);
    expect(digests('How much does shipping to Norway cost?', 'support')).toBe(1);
  });
});
