import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/random.js';
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

  it('are none where fewer than four lessons say so, or half of them', () => {
    expect(movedLabels([...usual(10), ...said('a', 'b', 3)])).toEqual([]);
    expect(movedLabels([...usual(10), ...said('a', 'b', 6), ...said('a', 'a', 6)])).toEqual([]);
  });

  it('are none where feedback is given only to what is wrong', () => {
    const corrections = Array.from({ length: 20 }, (_, i) => said(`l${i}`, `l${i + 1}`, 8)).flat();
    expect(movedLabels(corrections)).toEqual([]);
  });

  describe('of 77, ten of them exchanged two by two, with some 500 lessons', () => {
    const LABELS = 77;
    const other = (label: number) => (label < 10 ? label ^ 1 : label);
    /** An adapter that is right 87 times of 100 and else takes one of five others. */
    const lessons = (seed: number, now: (label: number) => number): Contrast[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 501 }, () => {
        const meant = Math.floor(random() * LABELS);
        const answered = random() < 0.865 ? meant : (meant + 1 + Math.floor(random() * 5)) % LABELS;
        return { answered: `${answered}`, right: `${now(meant)}` };
      });
    };
    const seeds = Array.from({ length: 60 }, (_, seed) => seed);

    it('are found in most cases, and then never taken for a third', () => {
      const moved = seeds.flatMap((seed) => movedLabels(lessons(seed, other)));
      expect(moved.filter(({ from, to }) => to === `${other(Number(from))}`).length).toBeGreaterThan(6 * seeds.length);
      expect(moved.filter(({ from, to }) => to !== null && to !== `${other(Number(from))}`)).toEqual([]);
    });

    it('are none in 19 of 20 cases where nothing was exchanged', () => {
      const alarms = seeds.filter((seed) => movedLabels(lessons(seed, (label) => label)).length > 0);
      expect(alarms.length).toBeLessThanOrEqual(0.05 * seeds.length);
    });
  });

  it('are told whatever order the lessons come in, and never without most of them contrary', () => {
    const label = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.array(fc.record({ answered: label, right: label }), { maxLength: 120 }), (contrasts) => {
        const moved = movedLabels(contrasts);
        const names = (found: typeof moved) => found.map(({ from, to }) => `${from} ${to}`).sort();
        expect(names(movedLabels([...contrasts].reverse()))).toEqual(names(moved));
        for (const { from, to, lessons, contrary } of moved) {
          expect(lessons).toBeGreaterThanOrEqual(4);
          expect(2 * contrary).toBeGreaterThan(lessons);
          expect(to).not.toBe(from);
        }
      }),
    );
  });
});
