import { askedInput, LabelWords, NO_AIDS, renderPrompt, type TaskKind } from '../../../sources/data/index.js';
import { renderChat, type PromptSegment } from '../../../sources/prompting/index.js';
import type { ServedAdapter, ServedVariant } from '../../../sources/registry/index.js';

/** Texts that no adapter is likely to have learned, short and long, in three languages. */
const TEXTS = [
  'Where can I see what I paid last month?',
  'The film was long, and I would not watch it again.',
  'Maria Schmidt moved from Berlin to Lyon in 2019 to work for Siemens.',
  'Water boils at a lower temperature on a mountain, because the air presses less on it there.',
  'Wie spät ist es, und wann fährt der nächste Zug nach Hamburg?',
  'La réunion de mardi est reportée à jeudi matin.',
  'List three things that a small garden needs in spring.',
  'My card did not arrive. I ordered it two weeks ago, the app says that it was sent, and nobody answers the phone. What now?',
];

/** Tokens whose logits are compared, beside those of the labels. */
const CANDIDATES = 512;

/** The prompts on which an adapter's change is measured, in the form that it is served with. */
export function probePrompts(
  adapter: Pick<ServedAdapter, 'task' | 'usage'>,
  variant: Pick<ServedVariant, 'chat'>,
): PromptSegment[][] {
  const context = { labels: new LabelWords(adapter.usage.labels), languages: adapter.usage.languages };
  return TEXTS.map((text) => {
    const input = askedInput(adapter.task as TaskKind, text, context);
    return renderChat(variant.chat, renderPrompt(input, context, NO_AIDS));
  });
}

/** The tokens whose logits are compared: those that stand for labels, and others from all over the vocabulary. */
export function probeCandidates({ usage: { answer } }: Pick<ServedAdapter, 'usage'>, vocabulary: number): number[] {
  const labels = answer.form === 'label-token' ? answer.labels.map(({ token }) => token) : [];
  const count = Math.min(CANDIDATES, vocabulary);
  const spread = Array.from({ length: count }, (_, i) => Math.floor((i * vocabulary) / count));
  return [...new Set([...labels, ...spread])];
}
