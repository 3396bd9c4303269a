import { measureAnswers, type Answered } from '../../../src/prove/evaluations/figures.js';
import { LabelWords, type TaskRow } from '../../../src/sources/data/index.js';

const words = new LabelWords(['billing', 'delivery']);
const rows: TaskRow[] = Array.from({ length: 60 }, (_, i) => ({
  task: 'CLASSIFICATION',
  text: `message ${i}`,
  label: i % 2 === 0 ? 'billing' : 'delivery',
}));
/** Right about four of five, and as sure as it should be. */
const sure: Answered[] = rows.map((row, i) => {
  const { label } = row as { label: string };
  const other = label === 'billing' ? 'delivery' : 'billing';
  return { text: words.say(i % 5 === 0 ? other : label), probability: 0.8 };
});
/** Never a label, though something was made of its tokens. */
const refusing = sure.map(() => ({ text: 'I can’t tell.', probability: 0.9 }));
const mute = sure.map(() => ({ text: '', probability: null }));
const sayingNothing = sure.map(({ text }) => ({ text, probability: null }));
const sayingIt = sure.map(({ text }, i) => ({ text, probability: i % 2 === 0 ? null : 0.6 }));

const metricsOf = (answers: readonly Answered[], against: readonly Answered[] | null) =>
  measureAnswers(rows, answers, against, { labels: words, languages: null }).metrics;
const named = (name: string, answers: readonly Answered[], against: readonly Answered[] | null = null) =>
  metricsOf(answers, against).find((metric) => metric.name === name);

describe('the calibration error (ECE)', () => {
  it.each([
    ['never answers', mute],
    ['only refuses, however sure', refusing],
    ['says of no answer how sure it is', sayingNothing],
    ['says of some answers alone how sure it is', sayingIt],
  ])('is not held against that of a base model that %s: there is nothing to be better than', (_, base) => {
    expect(named('ECE', sure, base)).toMatchObject({ value: expect.closeTo(0, 9) as number, difference: null });
    // Being silent is wrong all the same.
    expect(named('accuracy', sure, base)!.difference).not.toBeNull();
  });

  it.each([
    ['never answers', mute],
    ['only refuses, however sure', refusing],
    ['says of no answer how sure it is', sayingNothing],
  ])('is no figure of a version that %s', (_, answers) => {
    expect(named('ECE', answers, sure)).toBeUndefined();
    expect(named('accuracy', answers, sure)).toBeDefined();
  });

  it('is held against that of a base model that answers, and says of each answer how sure it is', () => {
    const unsure = sure.map(({ text }) => ({ text, probability: 0.5 }));
    expect(named('ECE', sure, unsure)!.difference).toMatchObject({ value: expect.closeTo(-0.3, 9) as number });
  });
});
