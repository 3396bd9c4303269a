import type { Answer, AskEvent } from '../../../src/answer/ask/index.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/ids.js';
import { responseEvents } from '../../../src/server/openai/responses/response.js';

const answered = (text: string): Answer =>
  ({
    id: newId(),
    question: 'Why?',
    text,
    route: { strategy: 'BASE', chosenBy: 'CALLER', reasons: [] },
    citations: [],
    evidence: [],
    abstention: null,
    neighbours: [],
    passages: [],
    adapter: null,
    finishReason: 'END',
    output: { kind: 'TEXT' },
    usage: { promptTokens: 1, generatedTokens: 1, reusedTokens: 0 },
    createdAt: new Date(0),
  }) as unknown as Answer;

interface Told {
  type: string;
  sequence_number: number;
  delta?: string;
  text?: string;
  response?: { output: { content: { text: string }[] }[]; error: object | null; status: string };
}

/** What a client reads of an answer whose model wrote `deltas` and of which `text` stands; null: it fails instead. */
async function streamed(deltas: readonly string[], text: string | null, whole = false) {
  const answer = answered(text ?? '');
  const kept: string[] = [];
  async function* events(): AsyncGenerator<AskEvent> {
    yield { type: 'route', answerId: answer.id, route: answer.route };
    for (const delta of deltas) yield { type: 'delta', text: delta };
    if (text === null) throw new GraftError('OVERLOADED', 'Too much is asked.');
    yield await Promise.resolve({ type: 'answer', answer });
  }
  const told: Told[] = [];
  const request = { input: [], repeated: { model: 'm' }, options: [], ignored: [], mostResults: 0 };
  for await (const event of responseEvents(events(), {
    ...{ request, include: [], store: true, now: new Date(0), comesWhole: () => whole },
    filesOf: () => Promise.resolve(() => ({ file_id: 'file-1', filename: 'a.txt', attributes: {} })),
    keep: ({ id }) => Promise.resolve(void kept.push(id)),
    shown: () => ({
      error: { message: 'Too much.', type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' },
    }),
  }))
    told.push(event as Told);
  expect(told.map(({ sequence_number: place }) => place)).toEqual(told.map((_, index) => index));
  return { told, written: told.flatMap(({ delta }) => delta ?? []), last: told.at(-1)!, kept, id: answer.id };
}

describe('the events of a response', () => {
  it.each([
    ['adds up to the answer', ['Because', ' so.'], 'Because so.', false, ['Because', ' so.']],
    ['comes whole where it may be replaced', ['Beca', 'use'], 'No.', true, ['No.']],
    ['appends nothing where a loop was cut off', ['So.', ' So.'], 'So.', false, ['So.', ' So.']],
    [
      'never glues other words to those that it took back',
      ['Because'],
      'No answer.',
      false,
      ['Because', '\nNo answer.'],
    ],
    ['has one part where it is empty', [], '', false, []],
  ])('%s: the text at the end is the one that stands', async (_what, deltas, text, whole, expected) => {
    const { told, written, last, kept, id } = await streamed(deltas, text, whole);
    expect(written).toEqual(expected);
    expect(told.filter(({ type }) => type === 'response.content_part.added')).toHaveLength(1);
    expect(told.find(({ type }) => type === 'response.output_text.done')!.text).toBe(text);
    expect(last).toMatchObject({ type: 'response.completed', response: { output: [{ content: [{ text }] }] } });
    expect(kept).toEqual([id]);
  });

  it('end with what went wrong', async () => {
    const { last, kept } = await streamed(['Because'], null);
    expect(last).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', output: [], error: { code: 'rate_limit_exceeded', message: 'Too much.' } },
    });
    expect(kept).toEqual([]);
  });
});
