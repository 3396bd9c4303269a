import type { EvaluationFigures, MetricFigure } from '../../../src/prove/evaluations/figures.js';
import { DEFAULT_BOUNDS, judge, type GateBounds, type GateCheck } from '../../../src/prove/gate/judge.js';
import { evaluationFigures } from '../../support/evaluation-figures.js';

const gain = (value: number, low: number, high: number) => ({ value, low, high, p: 0.5 });
const metric = (
  name: string,
  difference: MetricFigure['difference'],
  higherIsBetter = true,
  pairs: MetricFigure['pairs'] = null,
): MetricFigure => ({
  name,
  higherIsBetter,
  value: 0.8,
  low: 0.7,
  high: 0.9,
  difference,
  pairs,
});
const interval = (value: number, low: number, high: number) => ({ value, low, high });

function figuresWith({
  task = gain(0.1, 0.05, 0.15),
  classes = [] as EvaluationFigures['classes'],
  pairs = null as MetricFigure['pairs'],
  ratio = interval(1.01, 1, 1.03),
  lowerIsBetter = false,
} = {}): EvaluationFigures {
  return evaluationFigures([metric('accuracy', task, !lowerIsBetter, pairs)], { classes }, ratio);
}

const checks = (
  figures: EvaluationFigures | null,
  rows = 500,
  bounds: Partial<GateBounds> = {},
  tries = 1,
): GateCheck[] =>
  judge(
    { attested: true, evaluation: figures && { rows, figures }, tries, replaced: 'routing@1' },
    { ...DEFAULT_BOUNDS, ...bounds },
  );
const failed = (all: GateCheck[]): string[] => all.filter(({ passed }) => !passed).map(({ name }) => name);
const named = (all: GateCheck[], name: string): GateCheck => all.find((each) => each.name === name)!;

describe('the gate', () => {
  it('holds the share of foreign messages that an adapter with labels answers against its bound', () => {
    const taking = (value: number, low: number, high: number): EvaluationFigures => ({
      ...figuresWith(),
      classes: [{ label: 'a', support: 1, gained: null, lost: null, precision: 1, recall: 1, f1: 1 }],
      foreign: {
        level: 0.05,
        foreignAccepted: interval(value, low, high),
        ownRefused: interval(0.05, 0.02, 0.1),
        texts: 100,
        sets: [{ name: 'small talk and general questions', texts: 100, accepted: 100 * value }],
      },
    });
    expect(failed(checks(taking(0.03, 0.01, 0.09)))).toEqual([]);
    expect(named(checks(taking(0.4, 0.3, 0.5)), 'foreign')).toMatchObject({ passed: false, undecided: false });
    // A small workspace has few foreign texts: what they can't tell is said, and refuses nothing.
    expect(failed(checks(taking(0.17, 0.1, 0.25)))).toEqual([]);
    expect(named(checks(taking(0.17, 0.1, 0.25)), 'foreign').message).toContain('can’t be told to refuse');
    // Whatever text it gets, an adapter that writes text may translate or tag it.
    expect(failed(checks({ ...taking(0.9, 0.8, 1), classes: [] }))).toEqual([]);
  });

  it('lets through what is better, tells no class worse and has not forgotten', () => {
    expect(failed(checks(figuresWith()))).toEqual([]);
  });

  it('asks for an attestation and an evaluation', () => {
    expect(failed(checks(null))).toEqual(['evaluation']);
    const unproven = judge({ attested: false, evaluation: null, tries: 1, replaced: 'the base model' }, DEFAULT_BOUNDS);
    expect(failed(unproven)).toEqual(['attestation', 'evaluation']);
  });

  it('looks at the lower end of the gain, and says when the test set is too small to tell and how many rows would', () => {
    const all = checks(figuresWith({ task: gain(0.02, -0.02, 0.06) }));
    expect(failed(all)).toEqual(['task']);
    expect(named(all, 'task')).toMatchObject({ undecided: true, value: -0.02, bound: 0 });
    expect(named(all, 'task').message).toMatch(/can’t be told to be better on 500 rows.*about 2000 rows/);
  });

  it('asks more of the fifth try on the same rows than of the first, and says so', () => {
    // 0.1 with a standard error of 0.045: the lower end is 0.0118 at 95 %, and below 0 where one of a thousand is wrong.
    const found = figuresWith({ task: gain(0.1, 0.1 - 1.96 * 0.045, 0.1 + 1.96 * 0.045) });
    expect(failed(checks(found))).toEqual([]);
    const fifth = checks(found, 500, {}, 5);
    expect(failed(fifth)).toEqual(['task']);
    expect(named(fifth, 'task')).toMatchObject({ undecided: true, value: expect.closeTo(-0.0397, 3) as number });
    expect(named(fifth, 'evaluation').message).toMatch(/5 times, on whatever test rows/);
  });

  it('tells worse from too small to tell', () => {
    const all = checks(figuresWith({ task: gain(-0.1, -0.15, -0.05) }));
    expect(named(all, 'task')).toMatchObject({ passed: false, undecided: false });
    expect(named(all, 'task').message).toMatch(/is not better.*−0.100 against routing@1/);
  });

  it('calls nothing better that was let through by a bound below zero alone', () => {
    const all = checks(figuresWith({ task: gain(0, -0.1, 0.1) }), 59, { leastGain: -0.15 });
    expect(failed(all)).toEqual([]);
    expect(named(all, 'task').message).toMatch(/^It is not worse by more than is allowed/);
    expect(named(checks(figuresWith()), 'task').message).toMatch(/^It is better/);
  });

  it('turns a metric around where less is better', () => {
    expect(failed(checks(figuresWith({ task: gain(-0.1, -0.15, -0.05), lowerIsBetter: true })))).toEqual([]);
    expect(failed(checks(figuresWith({ task: gain(0.1, 0.05, 0.15), lowerIsBetter: true })))).toEqual(['task']);
  });

  const of = (label: string, support: number, gained: number | null, lost: number | null) => ({
    label,
    support,
    gained,
    lost,
    precision: 0.8,
    recall: 0.8,
    f1: 0.8,
  });

  it('refuses what is shown to tell a class worse, by McNemar and Holm over the classes that have rows enough', () => {
    const others = Array.from({ length: 9 }, (_, i) => of(`other ${i}`, 40, 3, 2));
    const fallen = checks(figuresWith({ classes: [of('card', 40, 0, 12), ...others] }));
    expect(failed(fallen)).toEqual(['worst class']);
    expect(named(fallen, 'worst class')).toMatchObject({ value: expect.closeTo(0.0049, 4) as number, bound: 0.05 });
    expect(named(fallen, 'worst class').message).toMatch(/told worse.*"card".*alone 12.*for 10 classes/);
    // 7 of 7 would be shown alone, and among ten classes is chance.
    expect(failed(checks(figuresWith({ classes: [of('card', 40, 0, 7)] })))).toEqual(['worst class']);
    expect(failed(checks(figuresWith({ classes: [of('card', 40, 0, 7), ...others] })))).toEqual([]);
  });

  it('shows classes of few rows and judges none of them', () => {
    const all = checks(figuresWith({ classes: [of('card', 19, 0, 19), of('cash', 30, 2, 1)] }));
    expect(failed(all)).toEqual([]);
    expect(named(all, 'worst class').message).toMatch(/1 of 2 classes have fewer than 20 rows and are not judged/);
  });

  it('says what its rows can tell, and asks for more', () => {
    const all = checks(figuresWith({ pairs: { gained: 20, lost: 4 } }), 300);
    expect(named(all, 'rows').message).toMatch(/300 rows find a gain of 3 points with 4\d %; 80 % takes \d+ rows\./);
    expect(named(all, 'task')).toMatchObject({ passed: true });
  });

  it('tells what was not measured from what failed', () => {
    const all = checks({ ...figuresWith({ task: gain(-0.1, -0.15, -0.05) }), retention: null });
    expect(all.filter(({ passed }) => !passed).map(({ name, measured }) => [name, measured])).toEqual([
      ['task', true],
      ['retention', false],
    ]);
  });

  it('shows what the version is worth by the answers that test rows had before', () => {
    const before = { rows: 480, changed: 30, metric: metric('accuracy', gain(-0.05, -0.09, -0.01)) };
    const all = checks({ ...figuresWith(), asBefore: before });
    expect(failed(all)).toEqual([]);
    expect(named(all, 'rows before').message).toMatch(
      /30 of 480 test rows have another answer.*−0\.050 against routing@1/,
    );
  });

  it('holds the upper end of the perplexity ratio against its bound, not the value', () => {
    const all = checks(figuresWith({ ratio: interval(1.04, 1.02, 1.06) }));
    expect(failed(all)).toEqual(['retention']);
    expect(named(all, 'retention')).toMatchObject({ undecided: true, value: 1.06, bound: 1.05 });
    const forgotten = named(checks(figuresWith({ ratio: interval(3.6, 3.2, 4) })), 'retention');
    expect(forgotten).toMatchObject({ passed: false, undecided: false });
    expect(forgotten.message).toMatch(/has forgotten.*3\.600 times/);
  });

  it('wants retention to be measured', () => {
    expect(failed(checks({ ...figuresWith(), retention: null }))).toEqual(['retention']);
  });

  it('says that a test set is too small for any interval', () => {
    const all = checks(figuresWith(), 12);
    expect(failed(all)).toEqual(['rows']);
    expect(named(all, 'rows').message).toMatch(/too small to tell: 12 rows/);
  });
});
