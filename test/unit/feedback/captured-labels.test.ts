import { LabelMover, type AnswerContrast } from '../../../src/learn/feedback/curation/label-mover.js';
import { movedLabels, movesTogether } from '../../../src/learn/feedback/curation/moved-labels.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { seededRandom } from '../../../src/kernel/random.js';

const LABELS = Array.from({ length: 10 }, (_, label) => `l${label}`);
const RUNS = 20;

/** Ordinary lessons on ten labels that an adapter tells well, and some false ones of one source, that two labels have changed places. */
function lessons(falseEachWay: number, seed: number): AnswerContrast[] {
  const random = seededRandom(seed);
  const lesson = (answered: string, right: string) => ({ answered, right, adapterVersionId: 'v', answerId: newId() });
  const honest = LABELS.slice(2).flatMap((label) =>
    Array.from({ length: 6 }, () =>
      lesson(label, random() < 0.9 ? label : LABELS[Math.floor(random() * LABELS.length)]!),
    ),
  );
  const [one, other] = LABELS as [string, string];
  const made = Array.from({ length: falseEachWay }, () => [lesson(one, other), lesson(other, one)]).flat();
  return [...honest, ...made];
}
const heldOut = new Map([['v', LABELS.map((label) => ({ gold: label, predicted: label, count: 20 }))]]);

/** A mover whose questions are all answered so. */
const moverOf = (confirmed: boolean | null) =>
  new LabelMover({
    data: {} as never,
    adapters: {} as never,
    reviews: {
      askOfMoves: () => Promise.resolve({ id: newId(), confirmed }),
      movesDecided: () => Promise.resolve([]),
    },
  });
const dataset = { workspaceId, datasetId: newId() };

describe('one source with a few false lessons each way', () => {
  it.each([4, 5])('looks like two labels that changed places, and moves no row by itself: %d', async (each) => {
    let proposed = 0;
    for (let run = 1; run <= RUNS; run++) {
      const contrasts = lessons(each, 7_919 * run);
      const found = await movedLabels(contrasts, heldOut);
      const asked = await moverOf(null).confirmed({} as never, dataset, found, contrasts);
      expect(asked.moved).toEqual([]);
      expect(asked.proposed).toEqual(found.moved);
      if (found.moved.length > 0) proposed += 1;
      const denied = await moverOf(false).confirmed({} as never, dataset, found, contrasts);
      expect([...denied.moved, ...denied.proposed]).toEqual([]);
    }
    // The lessons alone would have moved them in most runs.
    expect(proposed / RUNS).toBeGreaterThan(0.7);
  });
});

it('labels that move among each other are one question', () => {
  const move = (from: string, to: string | null) => ({ from, to, lessons: 5, contrary: 5 });
  const groups = movesTogether([move('a', 'b'), move('c', null), move('d', 'e'), move('b', 'a'), move('e', 'f')]);
  expect(groups.map((group) => group.map(({ from }) => from))).toEqual([['c'], ['a', 'b'], ['d', 'e']]);
});
