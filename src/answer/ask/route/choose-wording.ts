import type { MeasuredWording, WordingChoice } from '../../../sources/registry/index.js';
import type { RouteReason } from '../answer.js';
import type { Plan } from '../plan.js';
import type { Question } from '../question.js';
import { percent } from '../../../kernel/text.js';

/**
 * Models below this many weights quote as long as nobody measured them. With 135 million the best quote holds the answer for 81.7 % of the
 * questions in a user's own words and the model's words for 65.0 % (`bench -- own-words`, fourth set, AUTO); of models from here on no such
 * figure is known.
 */
const WORDS_BY_SIZE = 1_000_000_000;

/** Whose words an answer from documents has, and why. */
export interface ChosenWording {
  by: WordingChoice;
  /** null where the caller chose. */
  reason: RouteReason | null;
}

/**
 * The caller's choice, else what `compareWordings` found of the model, else what its size lets expect. What is told of an entity beside the
 * documents needs words of its own.
 * @returns null where no base model words an answer from documents
 */
export function chooseWording(
  { wording, entity, form }: Question,
  { scope, adaptation, variant }: Plan,
  measurement: MeasuredWording | null,
): ChosenWording | null {
  if (scope === null || adaptation !== null) return null;
  if (wording !== null) return { by: wording, reason: null };
  if (form) return chosen('MODEL', 'The model words what documents answer, because a quote is no JSON.');
  if (entity !== null)
    return chosen('MODEL', 'The model words what documents answer, because features are read beside them.');
  if (measurement !== null) {
    const { rows, model, quote } = measurement;
    const finding = `of ${rows} questions the model’s words were right for ${percent(model)}, the best quote for ${percent(quote)}`;
    return measurement.better === 'MODEL'
      ? chosen('MODEL', `The model words what documents answer: ${finding}.`)
      : chosen('QUOTE', `What documents answer is the best quote: ${finding}.`);
  }
  const size = `${sizeOf(variant.parameters)} weights`;
  return variant.parameters < WORDS_BY_SIZE
    ? chosen(
        'QUOTE',
        `What documents answer is the best quote: a model of ${size} words it worse, as far as such were measured.`,
      )
    : chosen(
        'MODEL',
        `The model words what documents answer: nobody measured yet whether one of ${size} does that worse than the best quote is.`,
      );
}

const chosen = (choice: WordingChoice, sentence: string): ChosenWording => ({
  by: choice,
  reason: { feature: 'answer.wording', value: Number(choice === 'MODEL'), contribution: 0, sentence },
});

const sizeOf = (weights: number): string =>
  weights >= 1e9 ? `${Number((weights / 1e9).toFixed(1))} billion` : `${Math.round(weights / 1e6)} million`;
