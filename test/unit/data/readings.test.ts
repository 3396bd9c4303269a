import { Readings, type PassageQuestion } from '../../../src/sources/data/answering/raft/readings.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { REFUSAL } from '../../../src/sources/prompting/index.js';

const passage = (chunkId: string, text: string) => ({ chunkId, documentName: `${chunkId}.md`, text });
const VENTS = passage('vents', 'The site log shows who opened the vents.');
const PUMPS = passage('pumps', 'The duty list shows who opened the pumps.');
const DOORS = passage('doors', 'Doors are opened by the porter.');
const asked = (question: string, answer: string, of: typeof VENTS): PassageQuestion => ({
  question,
  answer,
  passage: of,
  split: 'TRAIN',
  given: false,
  subject: null,
});

describe('questions that are to be refused', () => {
  it('are none that the passages answer, also where the question was made of another passage with another answer', () => {
    const pool = [
      asked('What shows who opened?', 'site log', VENTS),
      asked('What shows who opened?', 'duty list', PUMPS),
      asked('Who opens doors?', 'porter', DOORS),
    ];
    for (let seed = 1; seed <= 20; seed++) {
      const readings = new Readings(pool, { distractors: 1, refusedShare: 0.5 }, seededRandom(seed));
      const rows = readings.rowsOf([pool[2]!], [VENTS]);
      expect(rows.filter(({ answer }) => answer === REFUSAL)).toEqual([]);
    }
  });
});
