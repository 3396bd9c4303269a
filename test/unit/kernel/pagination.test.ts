import fc from 'fast-check';
import { newId } from '../../../src/kernel/ids.js';
import { encodeCursor, idCursor, nameCursor, ordinalCursor, pageRequest } from '../../../src/kernel/pagination.js';

const refused = expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'after' });

describe('cursors', () => {
  it('bring back what the list put in', () => {
    const id = newId();
    expect(idCursor(encodeCursor([id]))).toBe(id);
    expect(nameCursor(encodeCursor(['größe']))).toBe('größe');
    expect(ordinalCursor(encodeCursor([0]))).toBe(0);
  });

  it.each([
    ['an id', idCursor, [['x'], [1], ['\0'], [newId(), newId()]]],
    ['a name', nameCursor, [[1], ['\0'], ['a\0b'], ['a', 'b'], []]],
    ['an ordinal', ordinalCursor, [['1'], [1.5], [-1], [1e308], [2 ** 31], [null as never], [1, 2]]],
  ] as const)('of lists by %s refuse what such a list never returned', (_kind, read, keys) => {
    for (const key of keys) expect(() => read(encodeCursor(key))).toThrow(refused);
  });

  it('of any text are refused as the client’s mistake, or hold what PostgreSQL takes as a parameter', () => {
    const forged = fc.json().map((json) => Buffer.from(json).toString('base64url'));
    const parts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.double())).map(encodeCursor);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), forged, parts), (cursor) => {
        for (const read of [idCursor, nameCursor, ordinalCursor])
          try {
            const key = read(cursor);
            expect(typeof key === 'number' ? Number.isInteger(key) : !key.includes('\0')).toBe(true);
          } catch (error) {
            expect(error).toEqual(refused);
          }
      }),
    );
  });

  it('go with pages of 1 to 100', () => {
    for (const first of [0, -1, 101, 1.5, NaN])
      expect(() => pageRequest(first)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'first' }));
    expect(pageRequest(null, undefined)).toEqual({ first: 20, after: null });
  });
});
