import fc from 'fast-check';
import { mcnemarOf } from '../../../src/prove/index.js';
import { compareAnswers } from '../../../src/ship/delivery/shadow/shadow.js';
import { agreementOf, sentenceOf, type ShadowFigures } from '../../../src/ship/delivery/shadow/shadow-report.js';
import type { Answer } from '../../../src/answer/ask/index.js';
import { finishedAnswer, labelled } from '../../support/recorded-answers.js';

const NOBODY = { pairs: 0, served: null, candidate: null };
const NOTHING: ShadowFigures = {
  answered: 0,
  waiting: 0,
  compared: 0,
  failed: 0,
  erased: 0,
  skipped: [],
  failures: [],
  same: 0,
  similarity: null,
  changes: [],
  abstained: { served: 0, candidate: 0 },
  confidence: NOBODY,
  latencyMs: NOBODY,
  computeMs: NOBODY,
  truth: { known: 0, differing: 0, servedRight: 0, candidateRight: 0, onlyServed: 0, onlyCandidate: 0, p: 1 },
};
const answer = (over: Parameters<typeof finishedAnswer>[0]) => finishedAnswer(over) as Answer;
const silent = { reason: 'LOW_CONFIDENCE' as const, sentence: '', probability: 0.1, threshold: 0.5 };

describe('what a shadow says', () => {
  it('says in words what was found, and nothing of what wasn’t', () => {
    expect(sentenceOf('a@2', 'a@1', NOTHING)).toBe('a@2 has not been compared with a@1 yet.');
    const said = sentenceOf('a@2', 'a@1', {
      ...NOTHING,
      answered: 205,
      compared: 200,
      same: 182,
      failed: 5,
      failures: [{ code: 'DEADLINE_EXCEEDED', count: 5 }],
      changes: [
        { from: 'billing', to: 'refund', count: 9 },
        { from: 'refund', to: null, count: 3 },
      ],
      computeMs: { pairs: 200, served: 70.2, candidate: 81.7 },
      truth: {
        known: 40,
        differing: 8,
        servedRight: 30,
        candidateRight: 36,
        onlyServed: 1,
        onlyCandidate: 7,
        p: mcnemarOf(1, 7),
      },
      skipped: [{ reason: 'BUSY', count: 12 }],
    });
    expect(said).toContain('said the same as a@1 in 182 of 200 questions: 91 %');
    expect(said).toContain('Labels changed in 12, most often “billing” to “refund” (9).');
    expect(said).toContain('takes it 82 ms of work beside 70');
    expect(said).toContain('It failed on 5 questions (DEADLINE_EXCEEDED).');
    expect(said).toContain(
      'Of 40 questions whose right answer is known it has 36 right, what was served 30; alone 7 and 1 (p = 0.070).',
    );
    expect(said).toContain('12 sampled questions were not put to it.');
  });

  it('gives an interval that holds the share and narrows with pairs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (compared, share) => {
        const same = Math.round(compared * share);
        const found = agreementOf({ ...NOTHING, compared, same })!;
        expect(found.low).toBeLessThanOrEqual(found.value);
        expect(found.high).toBeGreaterThanOrEqual(found.value);
        const more = agreementOf({ ...NOTHING, compared: 8 * compared, same: 8 * same })!;
        expect(more.high - more.low).toBeLessThan(found.high - found.low);
      }),
    );
  });

  it('takes texts for the same but for case and blanks, and tells how far apart others are', () => {
    const served = answer({ text: 'Within ten days.' });
    expect(compareAnswers(served, answer({ text: ' within  TEN days.' }))).toMatchObject({ same: true, similarity: 1 });
    const other = compareAnswers(served, answer({ text: 'Within twenty days.' }));
    expect(other).toMatchObject({ same: false });
    expect(other.similarity).toBeCloseTo(2 / 3);
  });

  it('takes a label for the same whatever its probability, and no answer for no label', () => {
    const served = answer(labelled('refund', 0.9));
    expect(compareAnswers(served, answer(labelled('refund', 0.2)))).toMatchObject({
      same: true,
      candidateConfidence: 0.2,
    });
    expect(compareAnswers(served, answer({ ...labelled('refund'), abstention: silent }))).toMatchObject({
      same: false,
      candidateLabel: null,
      candidateAbstained: true,
      servedAbstained: false,
    });
    const both = compareAnswers(answer({ abstention: silent }), answer({ abstention: silent }));
    expect(both).toMatchObject({ same: true, verdict: null, similarity: null });
  });
});
