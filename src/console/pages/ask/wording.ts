import type { AnswerShownFragment } from '../../generated/operations.js';

type Worded = Pick<AnswerShownFragment, 'wording' | 'finishReason'> & {
  output: Pick<AnswerShownFragment['output'], '__typename'>;
};

const WORDING = {
  MODEL: 'In the model’s words',
  EVIDENCE: 'In the document’s words: the evidence did not support the model’s',
  QUOTED: 'In the document’s words',
  ABSTENTION: 'No answer given',
} as const;

/** What a model says that isn't words of its own. */
const OWN: Readonly<Record<string, string>> = {
  LabelOutput: 'A label that the model chose',
  EntitiesOutput: 'Marked in the question by the model',
};

/** Whose words an answer has, or what it is instead. */
export function wordingOf({ wording, finishReason, output: { __typename: form } }: Worded): string {
  if (form === 'LabelOutput' && wording === 'EVIDENCE') return 'The label of the nearest rows';
  const said = (wording === 'MODEL' && OWN[form]) || WORDING[wording];
  if (finishReason === 'REPEATED')
    return `${said.split(':', 1)[0]}: the model said the same over and over and was stopped`;
  if (finishReason === 'LENGTH' && wording === 'MODEL') return `${said}, cut at the longest answer that was asked for`;
  return wording === 'EVIDENCE' && finishReason === null ? WORDING.QUOTED : said;
}
