import fc from 'fast-check';
import { checkJson, textOf } from '../../../src/server/graphql/json-bounds.js';
import { GraftError } from '../../../src/kernel/errors.js';

/** Arrays, objects and commas, as the meter counts them: at least as many as there are values. */
function measure(value: unknown): { values: number; nesting: number } {
  if (typeof value !== 'object' || value === null) return { values: 0, nesting: 0 };
  const inner = Object.values(value).map(measure);
  return {
    values: 1 + Math.max(0, inner.length - 1) + inner.reduce((sum, each) => sum + each.values, 0),
    nesting: 1 + Math.max(0, ...inner.map((each) => each.nesting)),
  };
}

describe('checkJson', () => {
  const check = (text: string, values: number, nesting: number) => () =>
    checkJson(Buffer.from(text), { values, nesting });

  it('counts values and levels of any JSON, whatever its strings hold and however it is laid out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const { values, nesting } = measure(value);
        const text = JSON.stringify(value, null, indent);
        expect(check(text, values + 1, nesting)).not.toThrow();
        expect(check(text, values, 1_000)).toThrow(GraftError);
        if (nesting > 0) expect(check(text, 1_000_000, nesting - 1)).toThrow(/nested more deeply/);
      }),
    );
  });

  it('says of what is no JSON nothing else: that is for the parser', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(check(text, 1_000, 1_000)).not.toThrow();
      }),
    );
  });
});

describe('textOf', () => {
  it('reads any bytes as Buffer.toString does', () => {
    const bytes = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.uint8Array().map((each) => Buffer.from(each)),
    );
    fc.assert(fc.property(bytes, (each) => expect(textOf(each)).toBe(each.toString())));
  });
});
