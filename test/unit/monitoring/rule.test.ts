import { seededRandom } from '../../../src/kernel/random.js';
import {
  checkRule,
  concerns,
  FRESH,
  sentenceOf,
  speaksOf,
  stepRule,
  valueOf,
  type RuleChange,
  type Rule,
} from '../../../src/operate/monitoring/alerts/rule.js';
import type { AnswerFacts } from '../../../src/operate/monitoring/series/facts.js';

const rule: Rule = {
  metric: 'ERROR_RATE',
  side: 'ABOVE',
  threshold: 0.1,
  limit: null,
  where: {},
  answersPerFalseAlert: 20_000,
  quietMinutes: 15,
};

const facts: AnswerFacts = {
  workspaceId: 'w',
  answerId: 'a',
  adapterVersionId: null,
  at: new Date(),
  status: 'COMPLETE',
  errorCode: null,
  key: { model: 'tiny@Q8_0', adapter: '', strategy: 'RAG', collection: 'manuals', subject: '', arm: '' },
  latencyMs: 900,
  abstained: false,
  promptTokens: 10,
  generatedTokens: 5,
  computeMs: 400,
  confidence: 0.7,
  retrievalScore: 0.4,
  label: null,
  repeats: false,
};

/** What a rule does with values. */
function changesOf(values: Iterable<number>): RuleChange[] {
  let state = FRESH;
  const changes: RuleChange[] = [];
  for (const value of values) {
    const step = stepRule(rule, state, value);
    state = step.state;
    if (step.change !== null) changes.push(step.change);
  }
  return changes;
}

const shares = (random: () => number, ...parts: [share: number, count: number][]): number[] =>
  parts.flatMap(([share, count]) => Array.from({ length: count }, () => Number(random() < share)));

describe('a rule', () => {
  it('is raised by what is beyond its threshold and recovers when that is gone, once each', () => {
    expect(changesOf(shares(seededRandom(3), [0.02, 500], [0.5, 100], [0.02, 500]))).toEqual(['RAISED', 'RECOVERED']);
  });

  it('doesn’t flap where the mean stays on the threshold', () => {
    expect(changesOf(shares(seededRandom(4), [0.02, 300], [0.5, 60], [0.1, 5_000])).length).toBeLessThanOrEqual(2);
  });

  it('says of what it has shown that it was so, and tells the last answers’ mean apart from it', () => {
    const below = { ...rule, metric: 'ACCURACY', side: 'BELOW', threshold: 0.5, where: { strategy: 'RAG' } } as const;
    expect(sentenceOf('wrong', below, 0.53, 480)).toBe(
      'wrong: the share of right answers has been below 0.5 (shown by a test of 480 answers, strategy RAG, with one false alert in 20000 at most). The mean of about the last 50 was then 0.53.',
    );
  });

  it('sees in an answer what it looks at', () => {
    const of = (changed: Partial<Rule>, answer: Partial<AnswerFacts> = {}) =>
      valueOf({ ...rule, ...changed }, { ...facts, ...answer });
    expect(of({})).toBe(0);
    expect(of({}, { status: 'FAILED' })).toBe(1);
    expect(of({}, { status: 'CANCELLED' })).toBeNull();
    expect(of({ metric: 'LATENCY', limit: 800 })).toBe(1);
    expect(of({ metric: 'LATENCY', limit: 1_000 })).toBe(0);
    expect(of({ metric: 'CONFIDENCE' })).toBe(0.7);
    expect(of({ metric: 'ABSTENTION_RATE' }, { abstained: true })).toBe(1);
    expect(of({ metric: 'ABSTENTION_RATE' }, { status: 'FAILED' })).toBeNull();
  });

  it('looks only at answers that it is about', () => {
    expect(concerns({ ...rule, where: { strategy: 'RAG', adapter: '' } }, facts.key)).toBe(true);
    expect(concerns({ ...rule, where: { strategy: 'BASE' } }, facts.key)).toBe(false);
    const of = (adapter: string) => concerns({ ...rule, where: { adapter } }, { ...facts.key, adapter: 'routing@2' });
    expect(['routing', 'routing@2', 'routing@1', 'rout', ''].map(of)).toEqual([true, true, false, false, false]);
  });

  it('speaks of a series of its metric, unless that is of other answers', () => {
    const of = { ...rule, where: { adapter: 'routing' } };
    const series = [{}, { adapter: 'routing@2' }, { adapter: 'other@1' }, { strategy: 'RAG' }];
    expect(series.map((each) => speaksOf(of, 'ERROR_RATE', each))).toEqual([true, true, false, true]);
    expect(speaksOf(of, 'LATENCY', {})).toBe(false);
  });

  it.each([
    [{ threshold: 0 }, 'input.threshold'],
    [{ threshold: 1 }, 'input.threshold'],
    [{ threshold: Number.NaN }, 'input.threshold'],
    [{ limit: 5 }, 'input.beyond'],
    [{ metric: 'LATENCY' }, 'input.beyond'],
    [{ metric: 'LATENCY', limit: -1 }, 'input.beyond'],
    [{ answersPerFalseAlert: 50 }, 'input.answersPerFalseAlert'],
    [{ quietMinutes: -1 }, 'input.quietMinutes'],
    [{ metric: 'ERROR_RATE', limit: null, where: { collection: 'manuals' } }, 'input.where.collection'],
    [{ where: { model: 'x'.repeat(201) } }, 'input.where.model'],
  ] as [Partial<Rule>, string][])('refuses %j', (wrong, field) => {
    expect(() => checkRule({ ...rule, ...wrong })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', field }));
  });
});
