import fc from 'fast-check';
import { movedLabels, type Contrast } from '../../../src/feedback/curation/moved-labels.js';

const said = (answered: string, right: string, times: number): Contrast[] =>
  Array.from({ length: times }, () => ({ answered, right }));
/** Labels that are right nine times of ten, as those of a good adapter are. */
const usual = (labels: number) =>
  Array.from({ length: labels }, (_, i) => [...said(`l${i}`, `l${i}`, 9), ...said(`l${i}`, `l${i + 1}`, 1)]).flat();

describe('labels that mean something else', () => {
  it('are those whose lessons mostly say otherwise, each with what they say instead', () => {
    const exchanged = [...said('a', 'b', 6), ...said('a', 'c', 1), ...said('b', 'a', 5)];
    expect(movedLabels([...usual(10), ...exchanged])).toEqual([
      { from: 'a', to: 'b', lessons: 7, contrary: 7 },
      { from: 'b', to: 'a', lessons: 5, contrary: 5 },
    ]);
  });

  it('are found though a third of all labels are exchanged, and each has few lessons', () => {
    const exchanged = Array.from({ length: 5 }, (_, i) => [...said(`a${i}`, `b${i}`, 7), ...said(`b${i}`, `a${i}`, 6)]);
    expect(movedLabels([...usual(20), ...exchanged.flat()])).toHaveLength(10);
  });

  it('have no new label where their lessons name several', () => {
    const parted = [...said('a', 'b', 6), ...said('a', 'c', 6)];
    expect(movedLabels([...usual(10), ...parted])).toEqual([{ from: 'a', to: null, lessons: 12, contrary: 12 }]);
  });

  it('are none where fewer than five lessons say so, or half of them', () => {
    expect(movedLabels([...usual(10), ...said('a', 'b', 4)])).toEqual([]);
    expect(movedLabels([...usual(10), ...said('a', 'b', 6), ...said('a', 'a', 6)])).toEqual([]);
  });

  it('are none where feedback is given only to what is wrong', () => {
    const corrections = Array.from({ length: 20 }, (_, i) => said(`l${i}`, `l${i + 1}`, 8)).flat();
    expect(movedLabels(corrections)).toEqual([]);
  });

  it('are told whatever order the lessons come in, and never without most of them contrary', () => {
    const label = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.array(fc.record({ answered: label, right: label }), { maxLength: 120 }), (contrasts) => {
        const moved = movedLabels(contrasts);
        const names = (found: typeof moved) => found.map(({ from, to }) => `${from} ${to}`).sort();
        expect(names(movedLabels([...contrasts].reverse()))).toEqual(names(moved));
        for (const { from, to, lessons, contrary } of moved) {
          expect(lessons).toBeGreaterThanOrEqual(5);
          expect(2 * contrary).toBeGreaterThan(lessons);
          expect(to).not.toBe(from);
        }
      }),
    );
  });
});
