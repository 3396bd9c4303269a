import { composed, isConversation, type WrappedForm } from '../../worker-protocol/index.js';
import { writeDates } from './dates.js';

/** A conversation as a word of its roles' first letters: `suau`. */
export const wordOf = (roles: readonly string[]): string => roles.map((role) => role[0]).join('');

/**
 * What a template writes before, between and after the contents of a conversation.
 * @returns one text more than there are messages; null when the template refuses such a conversation, or it was not seen to be regular
 */
export function wrappingOf(form: WrappedForm, word: string, now: Date): string[] | null {
  const pieces = Object.hasOwn(form.exceptions, word)
    ? form.exceptions[word]!
    : isKnown(form, word)
      ? composed(form, word)
      : null;
  return pieces && pieces.map((piece) => writeDates(piece, now));
}

/** What held for every shorter conversation of its kind is taken to hold for longer ones. */
function isKnown({ compared, exceptions }: WrappedForm, word: string): boolean {
  const odd = Object.keys(exceptions);
  return isConversation(word)
    ? word.length <= compared.conversations || !odd.some(isConversation)
    : word.length <= compared.anyOrder || odd.length === 0;
}
