import type { AskInput } from '../../../src/answer/ask/index.js';
import { WordingComparer, type WordingComparerParts } from '../../../src/prove/wording/wording-comparer.js';
import type { WordingContext } from '../../../src/prove/wording/wording-run.js';
import { Split } from '../../../src/sources/data/index.js';
import type { MeasuredWording } from '../../../src/sources/registry/index.js';

const ROWS = 40;
const rows = Array.from({ length: ROWS }, (_, ordinal) => ({
  ordinal,
  content: { task: 'QUESTION_ANSWERING', question: `How many of ${ordinal}?`, answer: `${ordinal} boxes` },
}));

interface Said {
  text: string;
  quote: string;
  refused?: string;
  /** What it says from whole passages, where that is something else. */
  passages?: string;
}

/** A comparison whose answers are what a test says, and what it keeps. */
function comparing(
  say: (ordinal: number) => Said,
  { from = 0, held = rows }: { from?: number; held?: typeof rows } = {},
) {
  const asked: AskInput[] = [];
  const kept: MeasuredWording[] = [];
  const parts = {
    clock: { now: () => new Date(0) },
    registry: { setMeasuredWording: async (_ws: string, _id: string, found: MeasuredWording) => void kept.push(found) },
    data: {
      datasets: { usableVersion: async () => ({ dataset: { task: 'QUESTION_ANSWERING' }, version: { version: 1 } }) },
      rows: {
        async *stream() {
          yield held;
        },
      },
    },
    asking: {
      async tryOut(_caller: unknown, input: AskInput) {
        asked.push(input);
        const said = say(Number(/\d+/.exec(input.question)![0]));
        const { quote, refused } = said;
        const text = input.material === 'PASSAGES' ? (said.passages ?? said.text) : said.text;
        return { text, evidence: [{ quote }], abstention: refused ? { reason: refused } : null };
      },
    },
  } as unknown as WordingComparerParts;
  const attempts = Array.from({ length: from }, () => ({
    sentence: true,
    passages: false,
    quote: false,
    refused: false,
  }));
  const nothing = async () => undefined;
  const context = {
    run: { id: 'run', workspaceId: 'ws' },
    signal: new AbortController().signal,
    resumed: from > 0 ? { attempts } : null,
    input: {
      modelId: 'm',
      model: 'tiny@Q8_0',
      datasetVersionId: 'v',
      split: Split.TEST,
      rows: 100,
      seed: 1,
      collections: ['manual'],
    },
    checkpoint: nothing,
    progress: nothing,
    takeTurns: nothing,
    fenced: (work: (tx: null) => unknown) => work(null),
  } as unknown as WordingContext;
  return { asked, kept, run: () => new WordingComparer(parts).compare(context) };
}

describe('a comparison of wordings', () => {
  it('asks each question once from either material, in the model’s words, and keeps with the model that these are better', async () => {
    const { asked, kept, run } = comparing((n) => ({
      text: `It is ${n} boxes.`,
      quote: n % 2 ? `There are ${n} boxes.` : '',
    }));
    expect(await run()).toMatchObject({ better: 'MODEL', rows: ROWS, model: 1, quote: 0.5, refused: 0 });
    expect(asked.map(({ material }) => material)).toEqual(Array(ROWS).fill(['SENTENCE', 'PASSAGES']).flat());
    expect(asked[0]).toMatchObject({ wording: 'MODEL', model: 'tiny@Q8_0', collections: ['manual'] });
    expect(kept).toMatchObject([
      { better: 'MODEL', quantization: 'Q8_0', runId: 'run', at: '1970-01-01T00:00:00.000Z' },
    ]);
  });

  it('counts a refusal as wrong for both, and words that the model owed as wrong for it alone', async () => {
    const refused = comparing((n) => ({ text: '', quote: `${n} boxes`, refused: 'LOW_RELEVANCE' }));
    expect(await refused.run()).toMatchObject({ model: 0, quote: 0, refused: ROWS, better: 'QUOTE' });
    const declined = comparing((n) => ({ text: '', quote: `${n} boxes`, refused: 'MODEL_DECLINED' }));
    expect(await declined.run()).toMatchObject({ model: 0, quote: 1, refused: 0, better: 'QUOTE' });
  });

  it('keeps from what the model’s words were right more often', async () => {
    const { kept, run } = comparing((n) => ({ text: '', passages: `It is ${n} boxes.`, quote: '' }));
    expect(await run()).toMatchObject({ better: 'MODEL', material: 'PASSAGES', sentence: 0, passages: 1 });
    expect(kept).toMatchObject([{ material: 'PASSAGES' }]);
  });

  it('goes on behind the rows that an attempt before it answered', async () => {
    const { asked, run } = comparing(() => ({ text: '', quote: '' }), { from: ROWS - 3 });
    await run();
    expect(asked).toHaveLength(6);
  });

  it('decides nothing on fewer rows than tell anything', async () => {
    const { kept, run } = comparing(() => ({ text: '', quote: '' }), { held: rows.slice(0, 29) });
    await expect(run()).rejects.toMatchObject({ code: 'DATASET_UNUSABLE' });
    expect(kept).toEqual([]);
  });
});
