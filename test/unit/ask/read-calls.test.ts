import fc from 'fast-check';
import { readCalls } from '../../../src/answer/ask/word/word-calls.js';
import { writtenCall, type CallForm } from '../../../src/worker-protocol/index.js';

const FORMS: Record<string, CallForm> = {
  tagged: { open: '<tool_call>\n{"name": "', middle: '", "arguments": ', close: '}\n</tool_call>', between: '\n' },
  bare: { open: '{"name": "', middle: '", "parameters": ', close: '}', between: null },
};

const names = fc.stringMatching(/^[a-z_]{1,12}$/);
const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })).map((value) => JSON.stringify(value));
/** Words that hold no beginning of a call. */
const words = fc.string().map((text) => text.replaceAll(/[<{]/g, '').trim());

describe('readCalls', () => {
  it.each(Object.entries(FORMS))('reads the calls that were written, whatever their arguments hold: %s', (_, form) => {
    const most = form.between === null ? 1 : 4;
    const calls = fc.array(fc.record({ name: names, arguments: json }), { minLength: 1, maxLength: most });
    fc.assert(
      fc.property(words, calls, (text, written) => {
        const texts = written.map(({ name, arguments: args }) => writtenCall(form, name, args));
        expect(readCalls(text + texts.join(form.between ?? ''), form)).toEqual({ words: text, calls: written });
      }),
    );
  });

  it.each(Object.entries(FORMS))('takes what closes a call for text where it stands in a string: %s', (_, form) => {
    const written = { name: 'f', arguments: JSON.stringify({ x: `a${form.close}b`, y: form.open }) };
    expect(readCalls(writtenCall(form, written.name, written.arguments), form).calls).toEqual([written]);
  });

  it.each(Object.entries(FORMS))('leaves out a call that was cut off: %s', (_, form) => {
    const whole = writtenCall(form, 'f', '{"x":{"y":1}}');
    for (let length = 0; length < whole.trimEnd().length; length += 1)
      expect(readCalls(whole.slice(0, length), form).calls).toEqual([]);
  });

  it('reads an answer without a call as its text', () => {
    expect(readCalls('It is 3 < 4 {so}.', FORMS.tagged!)).toEqual({ words: 'It is 3 < 4 {so}.', calls: [] });
  });
});
