import { readSchema } from '../../../src/answer/ask/index.js';
import { ownValues } from '../../../src/answer/ask/word/word-json.js';
import { ANY_OBJECT } from '../../../src/worker-protocol/index.js';

const FORM = readSchema({
  type: 'object',
  properties: { kind: { enum: ['pump', 'fan'] }, bar: { type: 'number' }, note: { type: 'string' } },
});

describe('what a model says of its own in JSON', () => {
  it.each([
    ['{"kind":"pump","bar":37,"note":"red"}', ['37', 'red']],
    ['{"kind":"pump"}', []],
    ['{"kind":"pump","note":"","bar":-1.5e3}', ['', '-1.5e3']],
    ['{"note":"say \\"37\\", twice"}', ['say "37", twice']],
  ])('are texts and numbers that its form doesn’t prescribe: %s', (text, own) => {
    expect(ownValues(text, FORM)).toBe(own.join('\n'));
  });

  it('are names, too, where the form leaves them to it', () => {
    expect(ownValues('{"The pump runs at 999 bar":true}', ANY_OBJECT)).toBe('The pump runs at 999 bar');
    expect(ownValues('{"a":{"b":[1,"c"]}}', ANY_OBJECT).split('\n')).toEqual(['a', 'b', '1', 'c']);
  });

  it.each([
    ['{"kind":"pump","bar":37,"note":"red and gre', '37'],
    ['{"kind":"pump","bar":3', ''],
    ['{"kind":"pump","note":"12, or mo', ''],
    ['{"kind":"pump","no', ''],
  ])('are those that it wrote to their end, where it was cut off: %s', (text, own) => {
    expect(ownValues(text, FORM)).toBe(own);
  });

  it('is a number by itself', () => {
    expect(ownValues('42', readSchema({ type: 'number' }))).toBe('42');
  });
});
