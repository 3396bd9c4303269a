import type { AskStreamSubscription } from '../client/operations/index.js';
import { percent } from '../kernel/text.js';

export type StreamedAnswer = Extract<AskStreamSubscription['askStream'], { __typename?: 'AnswerReady' }>['answer'];

/** Why an answer is as it is has many sentences; these say what is missing from it, or why there is none. */
const TOLD = new Set([
  'answer.refused',
  'answer.foreign',
  'question.several',
  'retrieval.cut',
  'retrieval.degraded',
  'retrieval.language',
  'route.nobody',
]);

const OWN_WORDS = '  The base model’s own words: nothing of yours was read for them, and they may be invented.';

/** What stands below an answer on a terminal: what should be known of it, where it is from, and what the documents don't agree on. */
export function linesBelow(answer: StreamedAnswer): string[] {
  const { text, abstained, route, citations, conflicts } = answer;
  return [
    ...(route.strategy === 'BASE' && !abstained ? [OWN_WORDS] : []),
    ...(abstained ? [] : byAdapter(answer)),
    ...route.reasons
      .filter(({ feature, sentence }) => TOLD.has(feature) && sentence !== text)
      .map(({ sentence }) => `  ${sentence}`),
    ...citations.map((cited) => quoteLine(cited, '  ')),
    ...conflicts.flatMap(({ quotes }) => [
      `  The documents disagree: ${quotes.map(({ value }) => value).join(' or ')}`,
      ...quotes.map((cited) => quoteLine(cited, '    ')),
    ]),
  ];
}

/** Which adapter answered, and how probable a label is: a label alone says neither. */
function byAdapter({ adapter, output }: StreamedAnswer): string[] {
  if (adapter === null) return [];
  const probability = output.__typename === 'LabelOutput' ? output.probability : null;
  const sure = probability === null ? '' : `, with a probability of ${percent(probability, 1)}`;
  return [`  By the adapter ${adapter.name}@${adapter.versionNumber}${sure}.`];
}

function quoteLine(
  { quote, documentName, page, start, end }: StreamedAnswer['citations'][number],
  indent: string,
): string {
  const place = page === null ? documentName : `${documentName}, page ${page}`;
  return `${indent}“${quote}”\n${indent}  ${place}, characters ${start}–${end}`;
}
