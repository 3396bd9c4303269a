import { linesBelow, type StreamedAnswer } from '../../../src/cli/answer-lines.js';
import { writeAnswer } from '../../../src/cli/ask.js';
import { refusalReason, unanswered } from '../../../src/answer/ask/abstention.js';
import { embedderReason } from '../../../src/answer/ask/languages/question-language.js';
import { severalReason } from '../../../src/answer/ask/judge/several-questions.js';
import type { RouteReason } from '../../../src/answer/ask/answer.js';
import type { AskStreamSubscription } from '../../../src/client/operations/index.js';

const PUMP = { quote: 'It runs at 37 bar.', start: 4, end: 22, page: null, headings: [], documentName: 'orlo.txt' };

const answerOf = (text: string, reasons: readonly RouteReason[] = [], more: Partial<StreamedAnswer> = {}) =>
  ({ text, route: { reasons }, adapter: null, citations: [], conflicts: [], ...more }) as unknown as StreamedAnswer;

/** What a terminal or a pipe shows of these events. */
async function written(events: readonly object[], isTTY: boolean): Promise<string> {
  const out: string[] = [];
  const stream = (async function* () {
    await Promise.resolve();
    for (const askStream of events) yield { askStream } as AskStreamSubscription;
  })();
  await writeAnswer(stream, { isTTY, write: (text) => out.push(text) });
  return out.join('');
}

const delta = (text: string) => ({ __typename: 'TextDelta', text });
const ready = (answer: StreamedAnswer) => ({ __typename: 'AnswerReady', answer });

describe('what graft ask shows', () => {
  it('is the answer once, as it is written or in the end, a refusal too', async () => {
    for (const text of ['It runs at 37 bar.', 'This is not in your documents.']) {
      const events = [delta(text.slice(0, 5)), delta(text.slice(5)), ready(answerOf(text))];
      expect(await written(events, true)).toBe(`${text}\n`);
      expect(await written(events, false)).toBe(`${text}\n`);
      expect(await written(events.slice(2), true)).toBe(`${text}\n`);
    }
  });

  it('is why what was written is taken back, and what takes its place, to whoever saw it', async () => {
    const replaced = { __typename: 'TextReplaced', text: PUMP.quote, reason: 'It has another number.' };
    const events = [delta('At 73 bar.'), replaced, ready(answerOf(PUMP.quote))];
    expect(await written(events, true)).toBe('At 73 bar.\n\nIt has another number.\nIt runs at 37 bar.\n');
    expect(await written(events, false)).toBe('It runs at 37 bar.\n');
  });
});

describe('a stream that ends before the answer is ready', () => {
  it.each([[true], [false]])('is a failure, though it ended as one does: on a terminal %s', async (isTTY) => {
    await expect(written([delta('It runs')], isTTY)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(written([], isTTY)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('linesBelow', () => {
  it('names the page of a PDF', () => {
    const citations = [{ ...PUMP, documentName: 'orlo.pdf', page: 3 }] as unknown as StreamedAnswer['citations'];
    expect(linesBelow(answerOf(PUMP.quote, [], { citations }))[0]).toContain('orlo.pdf, page 3, characters 4–22');
  });

  it('marks a base model’s own words, and no refusal', () => {
    const answer = (abstained: boolean) => ({
      ...answerOf('In the lagoon.'),
      abstained,
      route: { strategy: 'BASE', reasons: [] },
    });
    const [mark, refused] = [false, true].map((abstained) =>
      linesBelow(answer(abstained) as unknown as StreamedAnswer),
    );
    expect(mark).toEqual([expect.stringContaining('own words')]);
    expect(refused).toEqual([]);
  });

  it('names the adapter that answered, how probable its label is, and neither for a refusal', () => {
    const by = (probability: number | null, more: object = {}) =>
      linesBelow(
        answerOf('billing', [], {
          adapter: { name: 'tickets', versionNumber: 2 },
          output: probability === null ? {} : { __typename: 'LabelOutput', probability },
          ...more,
        } as unknown as Partial<StreamedAnswer>),
      );
    expect(by(0.9731)).toEqual(['  By the adapter tickets@2, with a probability of 97.3 %.']);
    expect(by(null)).toEqual(['  By the adapter tickets@2.']);
    expect(by(0.4, { abstained: true })).toEqual([]);
  });

  it('says what is missing from an answer, what was not judged, and why there is none, and no more of the route', () => {
    const refused = unanswered(0.1, 0.26, true);
    const told = [
      severalReason('Who built it? When?')!,
      embedderReason(['en'], '¿Quién construyó el puente y cuándo?')!,
      refusalReason(refused),
    ];
    const chosen = { feature: 'collections.chunks', value: 3, contribution: 0, sentence: 'There are documents.' };
    const lines = linesBelow(answerOf(refused.sentence, [chosen, ...told]));
    expect(lines).toEqual(told.map(({ sentence }) => `  ${sentence}`));
    expect(lines.at(-1)).toContain('10 %');
  });

  it('does not say again what the answer says', () => {
    const sentence = 'There are no documents yet that could answer this.';
    const reason = { feature: 'answer.refused', value: 0, contribution: 0, sentence };
    expect(linesBelow(answerOf(sentence, [reason]))).toEqual([]);
  });

  it('has each quote with its place, and what the documents disagree on', () => {
    const conflicts = [
      {
        kind: 'NUMBER',
        quotes: [
          { ...PUMP, value: '37 bar' },
          { ...PUMP, value: '38 bar' },
        ],
      },
    ];
    const lines = linesBelow(answerOf('37 bar', [], { citations: [PUMP], conflicts } as Partial<StreamedAnswer>));
    expect(lines[0]).toBe('  “It runs at 37 bar.”\n    orlo.txt, characters 4–22');
    expect(lines[1]).toBe('  The documents disagree: 37 bar or 38 bar');
    expect(lines).toHaveLength(4);
  });
});
