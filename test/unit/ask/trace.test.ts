import type { Answer, Assignment } from '../../../src/answer/ask/answer.js';
import { tellFinished, tellPlanned } from '../../../src/answer/ask/trace.js';
import type { PlannedQuestion } from '../../../src/answer/ask/planned-question.js';
import { traceBy, traced, type Attributes } from '../../../src/platform/tracing/index.js';

const TEXT = 'Who is ill?';

const planned = {
  plan: {
    strategy: 'HYBRID',
    variant: { model: 'small' },
    adaptation: { adapter: { adapter: 'tickets', version: 3 } },
  },
  route: { chosenBy: 'ROLLOUT' },
  question: { text: TEXT, conversationId: null },
} as unknown as PlannedQuestion;
const drawn = { kind: 'ROLLOUT', subjectId: 'r1', arm: 'candidate', probability: 0.25 } as Assignment;
const finished = {
  text: TEXT,
  wording: 'MODEL',
  abstention: null,
  citations: [],
  configuration: { digest: 'd1' },
  usage: { promptTokens: 40, reusedTokens: 8, generatedTokens: 5 },
} as unknown as Answer;

/** What stands on the span of an answer. */
async function toldOf(text: boolean, assignment: Assignment | null, recording = true): Promise<Attributes> {
  const told: Record<string, Attributes[string]> = {};
  traceBy({
    text,
    start: () => ({
      traceparent: 'here',
      recording,
      rename: () => undefined,
      event: () => undefined,
      fail: () => undefined,
      end: () => undefined,
      set: (attributes) => void Object.assign(told, attributes),
    }),
    close: () => Promise.resolve(),
  });
  try {
    await traced('ask', {}, () => {
      tellPlanned('a1', planned, assignment);
      tellFinished(finished);
    });
  } finally {
    traceBy(null);
  }
  return told;
}

describe('the span of an answer', () => {
  it('says how the question was routed, drawn and answered, by which version, and no text', async () => {
    const told = await toldOf(false, drawn);
    expect(told).toMatchObject({
      'graft.route': 'HYBRID',
      'graft.route.chosen_by': 'ROLLOUT',
      'graft.answer_id': 'a1',
      'graft.test': 'ROLLOUT',
      'graft.test.id': 'r1',
      'graft.arm': 'candidate',
      'graft.propensity': 0.25,
      'graft.configuration.digest': 'd1',
      'graft.wording': 'MODEL',
      'gen_ai.request.model': 'tickets@3',
      'gen_ai.usage.input_tokens': 40,
      'gen_ai.usage.output_tokens': 5,
    });
    expect(Object.values(told)).not.toContain(TEXT);
  });

  it('says nothing of a draw where there was none', async () => {
    expect((await toldOf(false, null))['graft.arm']).toBeUndefined();
  });

  it('holds the question where text is wanted', async () => {
    expect((await toldOf(true, null))['graft.question']).toBe(TEXT);
  });

  it('is told nothing where nobody will see it', async () => {
    expect(await toldOf(true, drawn, false)).toEqual({});
  });
});
