import fc from 'fast-check';
import {
  checkedItems,
  compare,
  narrowed,
  NOBODY,
  type Item,
  type KnownItem,
} from '../../../src/sources/sync/manifest.js';

const digest = fc.constantFrom('a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64));
const access = fc.uniqueArray(fc.constantFrom('staff', 'board', 'guests'));
const path = fc.constantFrom(...Array.from({ length: 12 }, (_, i) => `docs/${i}.md`));

const item: fc.Arbitrary<Item> = fc
  .record({
    path,
    version: fc.record({ sha256: fc.option(digest), etag: fc.constantFrom('1', '2') }),
    access,
    problem: fc.option(fc.constant('It can’t be read.'), { freq: 6 }),
  })
  .map(({ version, ...rest }) => ({ ...rest, ...version, modifiedAt: null, unreadable: rest.problem !== null }));
const manifest = fc.uniqueArray(item, { selector: ({ path: listedPath }) => listedPath });

/** What a commit of this manifest leaves, where all that it asks for was ingested. */
const afterCommit = (items: readonly Item[]): KnownItem[] =>
  items.map((listed) => {
    const live = listed.problem === null ? (listed.sha256 ?? 'd'.repeat(64)) : null;
    return {
      path: listed.path,
      sha256: live,
      etag: listed.etag,
      failure: listed.problem,
      lasting: false,
      live,
      foreign: false,
      access: listed.access.length === 0 ? [NOBODY] : listed.access,
    };
  });

const paths = (items: readonly { path: string }[]): string[] => items.map((listed) => listed.path).sort();

describe('two manifests', () => {
  it('differ by what is new, changed, unchanged, failed or gone, each path in one of them', () => {
    fc.assert(
      fc.property(manifest, manifest, (before, now) => {
        const known = afterCommit(before);
        const result = compare(known, now, { labelled: true });
        const { new: added, changed, unchanged, failed, gone, relabelled } = result;
        expect(paths([...added, ...changed, ...unchanged, ...failed])).toEqual(paths(now));
        const listed = new Set(paths(now));
        expect(paths(gone)).toEqual(paths(before).filter((one) => !listed.has(one)));
        const live = new Set(known.flatMap((one) => (one.live === null ? [] : [one.path])));
        expect(added.every((one) => !live.has(one.path))).toBe(true);
        expect([...changed, ...unchanged].every((one) => live.has(one.path))).toBe(true);
        expect(relabelled.every((one) => unchanged.includes(one))).toBe(true);
      }),
    );
  });

  it('are the same once one was committed: what was ingested is not asked for again', () => {
    fc.assert(
      fc.property(manifest, (now) => {
        const result = compare(afterCommit(now), now, { labelled: true });
        expect([result.new, result.changed, result.gone, result.relabelled]).toEqual([[], [], [], []]);
      }),
    );
  });

  it('say that something is unchanged only where search has these bytes, whatever was known of it', () => {
    const knownItem: fc.Arbitrary<KnownItem> = fc.record({
      path,
      sha256: fc.option(digest),
      etag: fc.option(fc.constantFrom('1', '2')),
      failure: fc.option(fc.constant('It is broken.')),
      lasting: fc.boolean(),
      live: fc.option(digest),
      foreign: fc.boolean(),
      access: fc.option(access),
    });
    const knownItems = fc.uniqueArray(knownItem, { selector: (one) => one.path });
    fc.assert(
      fc.property(knownItems, manifest, (known, now) => {
        const byPath = new Map(known.map((one) => [one.path, one]));
        for (const one of compare(known, now).unchanged) {
          const { live, sha256, etag } = byPath.get(one.path)!;
          expect(live).not.toBeNull();
          if (one.sha256 === null) expect([live, etag]).toEqual([sha256, one.etag]);
          else expect(live).toBe(one.sha256);
        }
      }),
    );
  });
});

describe('who may see a document while its version changes', () => {
  it('are those who may see both versions, and nobody where there are none', () => {
    fc.assert(
      fc.property(fc.option(access), access, (old, now) => {
        const both = narrowed(old, now.length === 0 ? [NOBODY] : now);
        expect(both.length).toBeGreaterThan(0);
        for (const group of both.filter((one) => one !== NOBODY)) {
          expect(now).toContain(group);
          if (old !== null) expect(old).toContain(group);
        }
      }),
    );
  });
});

describe('the items of a manifest', () => {
  const sha256 = 'A'.repeat(64);

  it('are read in one form, whatever form a client writes', () => {
    const [decomposed] = checkedItems([{ path: ' cafe\u0301.md ', sha256 }], false);
    expect(decomposed).toMatchObject({ path: 'caf\u00e9.md', sha256: 'a'.repeat(64), problem: null });
  });

  it.each([
    [
      'a path twice, in other forms',
      [
        { path: 'e\u0301', sha256 },
        { path: '\u00e9', sha256 },
      ],
      'occurs twice',
    ],
    ['no digest', [{ path: 'a' }], 'neither sha256 nor etag'],
    ['a digest of another length', [{ path: 'a', sha256: 'ab' }], '64 hexadecimal digits'],
    ['groups where the source has none', [{ path: 'a', sha256, access: ['staff'] }], 'who may see'],
    ['an empty path', [{ path: ' ', sha256 }], 'is empty'],
    ['a NUL', [{ path: 'a\0', sha256 }], 'NUL'],
    ['more than 20,000', Array.from({ length: 20_001 }, (_, i) => ({ path: `${i}`, sha256 })), 'at most 20000'],
  ])('are refused with %s', (_, items, message) => {
    expect(() => checkedItems(items, false)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    expect(() => checkedItems(items, false)).toThrow(message);
  });

  it('have a reason where they can’t be documents', () => {
    const items = [
      { path: 'x'.repeat(201), sha256 },
      { path: 'two\nlines', sha256 },
      { path: 'large.pdf', bytes: 2 ** 27 },
      { path: 'shut.md', unreadable: 'It can’t be read (EACCES).' },
    ];
    expect(checkedItems(items, false).map(({ problem, unreadable }) => [problem?.slice(0, 18), unreadable])).toEqual([
      ['Its path can’t nam', false],
      ['Its path can’t nam', false],
      ['It has 134217728 b', false],
      ['It can’t be read (', true],
    ]);
  });
});
