import { choiceInputs } from '../../../src/server/openai/choices.js';

const ASKED = { question: 'How?', requestId: 'key', generation: { seed: 4_294_967_294 } };

describe('the questions of several choices', () => {
  it('is the request itself where one is wanted', () => {
    expect(choiceInputs(1, ASKED)).toEqual([ASKED]);
  });

  it('differ in request id and seed, and are of one unit: a completion comes from one arm, and is one piece of evidence', () => {
    const [first, second, third] = choiceInputs(3, ASKED);
    expect([first, second, third].map((input) => input!.requestId)).toEqual(['key', 'key:1', 'key:2']);
    // The last number of 32 bits is no seed.
    expect([first, second, third].map((input) => input!.generation!.seed)).toEqual([4_294_967_294, 0, 1]);
    expect(first!.unit).toEqual(expect.any(String));
    expect(new Set([first!.unit, second!.unit, third!.unit]).size).toBe(1);
    expect(choiceInputs(1, ASKED)[0]!.unit).toBeUndefined();
    expect(choiceInputs(2, ASKED)[0]!.unit).not.toBe(first!.unit);
    expect(choiceInputs(2, { ...ASKED, unit: 'anna' }).map(({ unit }) => unit)).toEqual(['anna', 'anna']);
  });

  it('are refused before the first is asked where their ids would be too long', () => {
    const requestId = 'k'.repeat(199);
    expect(choiceInputs(1, { ...ASKED, requestId })).toHaveLength(1);
    expect(() => choiceInputs(2, { ...ASKED, requestId })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});
