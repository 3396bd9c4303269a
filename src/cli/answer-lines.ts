import type { AskStreamSubscription } from '../client/operations/index.js';

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
export function linesBelow({ text, abstained, route, citations, conflicts }: StreamedAnswer): string[] {
  return [
    ...(route.strategy === 'BASE' && !abstained ? [OWN_WORDS] : []),
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

function quoteLine(
  { quote, documentName, page, start, end }: StreamedAnswer['citations'][number],
  indent: string,
): string {
  const place = page === null ? documentName : `${documentName}, page ${page}`;
  return `${indent}“${quote}”\n${indent}  ${place}, characters ${start}–${end}`;
}
