/**
 * How often the best sentence of a paragraph says the opposite of a word of the question instead ("opens" where "closes" is asked for), where
 * the paragraph holds the answer and where it doesn't. What `ask` takes off an answer's probability for it rests on this, and which pairs of
 * words count as opposites was chosen on it. SQuAD 2.0, XQuAD and COVID-QA from `../shared/datasets`; no model is asked.
 */
import { contentWords, exclusiveWords, scoreSentences } from '../src/ask/index.js';
import { passageOf } from '../test/unit/ask/support.js';
import { describeMachine, printResult } from './support/report.js';
import { readSquad, type SquadFile } from './support/squad.js';

/** Longer articles are read up to here: every paragraph as one passage. */
const MOST_CHARACTERS = 20_000;

/** Whether the best sentence says the opposite; false where there is none. */
function saysOpposite(paragraph: string, question: string): boolean {
  const exclusive = exclusiveWords(question);
  if (exclusive.size === 0) return false;
  const terms = new Map(
    contentWords(question).map(({ stem }) => [stem, { stem, rarity: 1, name: false, sides: exclusive.get(stem) }]),
  );
  const passage = passageOf(paragraph.slice(0, MOST_CHARACTERS), { documentName: '' });
  return scoreSentences([passage], [...terms.values()])[0]?.opposite ?? false;
}

const rows = (['squad2-part', 'xquad.en', 'covidqa-part'] satisfies SquadFile[]).flatMap((name) => {
  const articles = readSquad(name);
  if (articles === null) {
    console.log(`SKIPPED ${name}: it is not in ../shared/datasets.`);
    return [];
  }
  const asked = articles.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ text, questions }) => questions.map((question) => ({ paragraph: text, ...question }))),
  );
  const row = (answerable: boolean) => {
    const of = asked.filter(({ answers }) => answers.length > 0 === answerable);
    return { questions: of.length, opposite: of.filter(({ paragraph, text }) => saysOpposite(paragraph, text)).length };
  };
  const [held, missing] = [row(true), row(false)];
  return {
    'data set': name,
    answerable: held.questions,
    'best sentence says the opposite': held.opposite,
    unanswerable: missing.questions,
    'says the opposite there': missing.opposite,
  };
});
printResult('opposites', { machine: describeMachine(), rows });
