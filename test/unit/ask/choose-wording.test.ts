import { AS_ASKED, checkedQuestion } from '../../../src/answer/ask/index.js';
import { asDrawn } from '../../../src/answer/ask/route/assignment.js';
import type { Plan } from '../../../src/answer/ask/plan.js';
import { chooseWording } from '../../../src/answer/ask/route/choose-wording.js';
import { compareWordings } from '../../../src/prove/wording/compare-wordings.js';
import type { MeasuredWording } from '../../../src/sources/registry/index.js';

const planOf = (parameters: number, more: Partial<Plan> = {}): Plan =>
  ({ scope: {}, adaptation: null, labelled: null, variant: { parameters }, ...more }) as Plan;
const asked = (more: object = {}) => checkedQuestion({ question: 'How long is it valid?', ...more });
const measured = (better: 'MODEL' | 'QUOTE'): MeasuredWording => ({
  better,
  rows: 100,
  material: 'PASSAGES',
  sentence: 0.55,
  passages: 0.6,
  model: 0.6,
  quote: 0.5,
  difference: { value: 0.1, low: 0.02, high: 0.18 },
  quantization: 'Q4_K_M',
  runId: 'run',
  at: '2026-01-01T00:00:00.000Z',
});

describe('whose words an answer from documents has', () => {
  it('are the caller’s choice before anything else, and need no reason', () => {
    for (const wording of ['MODEL', 'QUOTE'] as const)
      expect(chooseWording(asked({ wording }), planOf(135e6), measured('MODEL'))).toEqual({
        by: wording,
        reason: null,
      });
  });

  it('follow what was measured of the model, whatever its size, and say so', () => {
    for (const better of ['MODEL', 'QUOTE'] as const)
      for (const parameters of [135e6, 7e9]) {
        const chosen = chooseWording(asked(), planOf(parameters), measured(better));
        expect(chosen).toMatchObject({ by: better, reason: { feature: 'answer.wording', contribution: 0 } });
        expect(chosen!.reason!.sentence).toContain('of 100 questions the model’s words were right for 60 %');
      }
  });

  it('go by size where nobody measured: a small model quotes', () => {
    expect(chooseWording(asked(), planOf(135e6), null)).toMatchObject({ by: 'QUOTE' });
    expect(chooseWording(asked(), planOf(7e9), null)).toMatchObject({ by: 'MODEL' });
  });

  it('are the model’s where features are read beside the documents, which no quote holds', () => {
    const about = asked({ entity: 'customer:1', features: ['plans'] });
    expect(chooseWording(about, planOf(135e6), measured('QUOTE'))).toMatchObject({ by: 'MODEL' });
  });

  it('are nobody’s to choose where no base model words an answer from documents', () => {
    expect(chooseWording(asked(), planOf(135e6, { scope: null }), null)).toBeNull();
    expect(chooseWording(asked(), planOf(135e6, { adaptation: {} as Plan['adaptation'] }), null)).toBeNull();
  });

  it('are an arm’s, where one is drawn that says so, else as they were asked for', () => {
    const drawn = (wording: 'MODEL' | 'QUOTE' | null) => asDrawn(asked({ wording: 'QUOTE' }), { ...AS_ASKED, wording });
    expect(drawn('MODEL').wording).toBe('MODEL');
    expect(drawn(null).wording).toBe('QUOTE');
  });

  it('can’t be wanted where nothing is read, or of labelled rows', () => {
    const refused = (input: object) => () => asked({ wording: 'QUOTE', ...input });
    expect(refused({ strategy: 'BASE' })).toThrow(expect.objectContaining({ field: 'input.wording' }));
    expect(refused({ strategy: 'RAG', dataset: 'routing' })).toThrow(
      expect.objectContaining({ field: 'input.wording' }),
    );
  });
});

describe('what a comparison of wordings finds', () => {
  const attempts = (sentence: number, passages: number, quote: number, rows = 100) =>
    Array.from({ length: rows }, (_, i) => ({
      sentence: i < sentence,
      passages: i < passages,
      quote: i < quote,
      refused: false,
    }));

  it('is the model only where its words are shown to be right more often', () => {
    expect(compareWordings(attempts(80, 40, 50))).toMatchObject({ better: 'MODEL', model: 0.8, quote: 0.5, rows: 100 });
    expect(compareWordings(attempts(50, 50, 80))).toMatchObject({ better: 'QUOTE' });
    const doubtful = compareWordings(attempts(51, 50, 50));
    expect(doubtful).toMatchObject({ better: 'QUOTE' });
    expect(doubtful.summary).toContain('can’t be told apart');
  });

  it('shows the model what its words were right from more often, and the shorter where both were alike', () => {
    expect(compareWordings(attempts(60, 80, 50))).toMatchObject({ material: 'PASSAGES', model: 0.8, sentence: 0.6 });
    expect(compareWordings(attempts(80, 60, 50))).toMatchObject({ material: 'SENTENCE', model: 0.8, passages: 0.6 });
    expect(compareWordings(attempts(70, 70, 50))).toMatchObject({ material: 'SENTENCE' });
  });

  it('asks more of the better of two tries than of one', () => {
    // Six discordant pairs of six: one try would be believed (p = .031), the better of two isn't.
    const p = (discordant: number) => compareWordings(attempts(40 + discordant, 0, 40)).better;
    expect([p(4), p(30)]).toEqual(['QUOTE', 'MODEL']);
  });
});
