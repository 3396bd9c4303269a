import fc from 'fast-check';
import { movedLabels as verdictOn } from '../../../src/learn/feedback/curation/moved-labels.js';
import type { Contrast, HeldOut } from '../../../src/learn/feedback/curation/usual-errors.js';

const V = 'version';
const said = (answered: string, right: string, times: number, adapterVersionId = V): Contrast[] =>
  Array.from({ length: times }, () => ({ answered, right, adapterVersionId }));
/** Labels that are right nine times of ten, as those of a good adapter are. */
const usual = (labels: number) =>
  Array.from({ length: labels }, (_, i) => [...said(`l${i}`, `l${i}`, 9), ...said(`l${i}`, `l${i + 1}`, 1)]).flat();
const held = (...cells: [predicted: string | null, gold: string, count: number][]): Map<string, HeldOut[]> =>
  new Map([[V, cells.map(([predicted, gold, count]) => ({ predicted, gold, count }))]]);
/** As good on held-out rows, with those of other labels besides. */
const good = (...cells: [string, string, number][]) =>
  held(
    ...Array.from({ length: 10 }, (_, i): [string, string, number][] => [
      [`l${i}`, `l${i}`, 9],
      [`l${i}`, `l${i + 1}`, 1],
    ]).flat(),
    ...cells,
  );
const NONE = new Map<string, HeldOut[]>();
const movedLabels = async (...of: Parameters<typeof verdictOn>) => (await verdictOn(...of)).moved;

describe('labels that mean something else', () => {
  it('are those whose lessons mostly say otherwise, each with what they say instead', async () => {
    const exchanged = [...said('a', 'b', 6), ...said('a', 'c', 1), ...said('b', 'a', 5)];
    const moved = [
      { from: 'a', to: 'b', lessons: 7, contrary: 7 },
      { from: 'b', to: 'a', lessons: 5, contrary: 5 },
    ];
    expect(await movedLabels([...usual(10), ...exchanged], NONE)).toEqual(moved);
    expect(await movedLabels([...usual(10), ...exchanged], good(['a', 'a', 8], ['b', 'b', 8]))).toEqual(moved);
  });

  it('are found though a third of all labels are exchanged, and each has few lessons', async () => {
    const exchanged = Array.from({ length: 5 }, (_, i) => [...said(`a${i}`, `b${i}`, 7), ...said(`b${i}`, `a${i}`, 6)]);
    expect((await movedLabels([...usual(20), ...exchanged.flat()], NONE)).map(({ to }) => to)).toEqual([
      'b0',
      'b1',
      'b2',
      'b3',
      'b4',
      'a0',
      'a1',
      'a2',
      'a3',
      'a4',
    ]);
  });

  it('are sure after a few lessons where held-out rows were clear, and take many where they were taken for each other', async () => {
    const lessons = [...usual(10), ...said('a', 'b', 4)];
    expect(await movedLabels(lessons, good(['a', 'a', 12]))).toMatchObject([{ from: 'a', to: 'b' }]);
    expect(await movedLabels(lessons, good(['a', 'a', 6], ['a', 'b', 6]))).toEqual([]);
    expect(await movedLabels(lessons, NONE)).toEqual([]);
    const many = [...usual(10), ...said('a', 'b', 30), ...said('a', 'a', 1)];
    expect(await movedLabels(many, good(['a', 'a', 30], ['a', 'b', 20]))).toMatchObject([{ from: 'a', to: 'b' }]);
  });

  it('have no new label where their lessons name several', async () => {
    const parted = [...said('a', 'b', 6), ...said('a', 'c', 6)];
    expect(await movedLabels([...usual(10), ...parted], good(['a', 'a', 8]))).toEqual([
      { from: 'a', to: null, lessons: 12, contrary: 12 },
    ]);
  });

  it('are none where half of the lessons say so', async () => {
    const half = [...usual(10), ...said('a', 'b', 6), ...said('a', 'a', 6)];
    expect(await movedLabels(half, NONE)).toEqual([]);
    expect(await movedLabels(half, good(['a', 'a', 8]))).toEqual([]);
  });

  it('are none where feedback is given only to what is wrong', async () => {
    const corrections = Array.from({ length: 20 }, (_, i) => said(`l${i}`, `l${i + 1}`, 8)).flat();
    expect(await movedLabels(corrections, NONE)).toEqual([]);
    const cells = Array.from({ length: 20 }, (_, i): [string, string, number] => [`l${i}`, `l${i}`, 8]);
    expect(await movedLabels(corrections, held(...cells))).toEqual([]);
  });

  it('are told by lessons on answers of several versions together, each held against its own rows', async () => {
    const two = [...said('a', 'b', 2), ...said('a', 'b', 3, 'other')];
    const rows = good(['a', 'a', 8]);
    const clear = new Map([...rows, ['other', rows.get(V)!]]);
    expect(await movedLabels([...usual(10), ...two], clear)).toMatchObject([{ from: 'a', to: 'b', lessons: 5 }]);
    const confused = new Map([...rows, ['other', [{ gold: 'b', predicted: 'a', count: 12 }]]]);
    expect(await movedLabels([...usual(10), ...two], confused)).toEqual([]);
  });

  it('are told whatever order the lessons come in, and never without most of them contrary', async () => {
    const label = fc.constantFrom('a', 'b', 'c', 'd');
    const contrast = fc.record({ answered: label, right: label, adapterVersionId: fc.constant(V) });
    await fc.assert(
      fc.asyncProperty(fc.array(contrast, { maxLength: 120 }), async (contrasts) => {
        const moved = await movedLabels(contrasts, NONE);
        expect(await movedLabels([...contrasts].reverse(), NONE)).toEqual(moved);
        for (const { from, to, lessons, contrary } of moved) {
          expect(2 * contrary).toBeGreaterThan(lessons);
          expect(to).not.toBe(from);
        }
      }),
    );
  });

  it('are found among any number of held-out rows and lessons, and those that nobody contradicts never move', async () => {
    const count = fc.integer({ min: 1, max: 10_000 });
    await fc.assert(
      fc.asyncProperty(count, count, count, async (rows, exchanged, same) => {
        const lessons = [...said('a', 'b', exchanged), ...said('b', 'a', exchanged), ...said('c', 'c', same)];
        const moved = await movedLabels(lessons, held(['a', 'a', rows], ['b', 'b', rows], ['c', 'c', rows]));
        for (const { from, to } of moved) expect([from, to]).toEqual(from === 'a' ? ['a', 'b'] : ['b', 'a']);
        if (exchanged >= 10 && same >= 10 && rows >= 10) expect(moved).toHaveLength(2);
      }),
      { numRuns: 30 },
    );
    const one = [...said('a', 'b', 500), ...said('b', 'b', 500), ...said('c', 'c', 500)];
    const clear = held(['a', 'a', 2_000], ['b', 'b', 2_000], ['c', 'c', 2_000]);
    expect(await movedLabels(one, clear)).toEqual([{ from: 'a', to: 'b', lessons: 500, contrary: 500 }]);
  });

  it.each([2, 3, 12])('are none of %d labels where nobody confirms anything', async (labels) => {
    const corrections = (times: number) =>
      Array.from({ length: labels }, (_, i) => said(`l${i}`, `l${(i + 1) % labels}`, times)).flat();
    const cells = Array.from({ length: labels }, (_, i): [string, string, number] => [`l${i}`, `l${i}`, 20]);
    for (const times of [1, 10, 200])
      for (const rows of [NONE, held(...cells)]) expect(await movedLabels(corrections(times), rows)).toEqual([]);
  });

  it('are undecided where they would have moved if right answers were spoken of as often, and say why', async () => {
    const exchanged = [...said('a', 'b', 20), ...said('b', 'a', 18), ...said('b', 'b', 2)];
    const { moved, undecided } = await verdictOn(exchanged, held(['a', 'a', 20], ['b', 'b', 20]));
    expect(moved).toEqual([]);
    expect(undecided.map(({ reason: _, ...each }) => each)).toEqual([
      { label: 'a', lessons: 20, contrary: 20 },
      { label: 'b', lessons: 20, contrary: 18 },
    ]);
    expect(undecided.find(({ label }) => label === 'a')!.reason).toMatch(/of 20 there, 2 do/);
    expect((await verdictOn([...usual(10), ...exchanged], NONE)).undecided).toEqual([]);
  });

  it('take rows whose right label is not known for wrong ones', async () => {
    const lessons = [...usual(10), ...said('a', 'b', 5)];
    const more = (gold: string | null): Map<string, HeldOut[]> =>
      new Map([[V, [...good(['a', 'a', 8]).get(V)!, { gold, predicted: 'a', count: 40 }]]]);
    expect(await movedLabels(lessons, more('a'))).toMatchObject([{ from: 'a', to: 'b' }]);
    expect(await movedLabels(lessons, more(null))).toEqual([]);
  });

  it('have as much to be said of them whatever held-out rows others have that answered none of it', async () => {
    const lessons = [...usual(10), ...said('a', 'b', 5)];
    const alone = await movedLabels(lessons, NONE);
    const foreign = Array.from({ length: 50 }, (_, i) => ({ gold: `x${i}`, predicted: `x${i}`, count: 9 }));
    expect(await movedLabels(lessons, new Map([['foreign', foreign]]))).toEqual(alone);
  });
});
