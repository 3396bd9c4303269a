import type { Answer, AskEvent } from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { chunksOf } from '../../../src/server/openai/completion.js';

const answered = (text: string): Answer =>
  ({
    id: newId(),
    question: 'Why?',
    text,
    askedAs: null,
    askedWith: null,
    route: { strategy: 'BASE', chosenBy: 'CALLER', reasons: [] },
    citations: [],
    abstention: null,
    neighbours: [],
    passages: [],
    adapter: null,
    finishReason: 'END',
    output: { kind: 'TEXT' },
    configuration: { digest: 'd' },
    usage: { promptTokens: 1, generatedTokens: 1, reusedTokens: 0 },
    createdAt: new Date(0),
  }) as unknown as Answer;

/** What a client has put together at the end, and what stands in `graft`. */
async function streamed(deltas: readonly string[], text: string, whole = false) {
  const answer = answered(text);
  async function* events(): AsyncGenerator<AskEvent> {
    yield { type: 'route', answerId: answer.id, route: answer.route };
    for (const delta of deltas) yield { type: 'delta', text: delta };
    if (deltas.join('') !== text) yield { type: 'replaced', text, reason: 'It was stopped.' };
    yield await Promise.resolve({ type: 'answer', answer });
  }
  const context = {
    request: { model: 'm', options: [], ignored: [] },
    origin: 'http://here',
    includeUsage: false,
    now: new Date(0),
  };
  let content = '';
  let graft: { text?: string } | undefined;
  for await (const chunk of chunksOf([events()], { ...context, comesWhole: () => whole })) {
    const { choices, graft: told } = chunk as { choices: { delta: { content?: string } }[]; graft?: { text?: string } };
    content += choices[0]?.delta.content ?? '';
    graft ??= told;
  }
  return { content, text: graft?.text };
}

describe('a streamed completion', () => {
  it('adds up to the answer where nothing is replaced', async () => {
    expect(await streamed(['Because', ' so.'], 'Because so.')).toEqual({ content: 'Because so.', text: undefined });
  });

  it('appends nothing where a loop was cut off behind what stands', async () => {
    expect(await streamed(['So.', ' So.', ' So.'], 'So.')).toEqual({ content: 'So. So. So.', text: 'So.' });
  });

  it('never glues other words to those that it took back, and tells which stand', async () => {
    const sentence = 'There is no answer.';
    expect(await streamed(['la ', 'la'], sentence)).toEqual({ content: `la la\n${sentence}`, text: sentence });
  });

  it('has only the words that stand where it holds them', async () => {
    expect(await streamed(['billing\n'], 'BILLING', true)).toEqual({ content: 'BILLING', text: undefined });
  });
});
