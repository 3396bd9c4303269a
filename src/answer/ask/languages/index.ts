import { ENGLISH } from './english.js';
import { FRENCH } from './french.js';
import { GERMAN } from './german.js';
import type { LanguageWords, SentenceWords } from './language-words.js';
import { OTHERS } from './others.js';
import { SPANISH } from './spanish.js';

export type { AskedKind } from './language-words.js';

/** Languages that questions are told by. Where two are told equally, the first counts. */
export const LANGUAGES: readonly LanguageWords[] = [ENGLISH, GERMAN, SPANISH, FRENCH, ...OTHERS];

/** What the rules about sentences know, language by language. */
export const SENTENCE_WORDS: readonly (SentenceWords & { code: string })[] = LANGUAGES.flatMap(({ code, sentences }) =>
  sentences ? [{ code, ...sentences }] : [],
);

/** Of a list in a language's file. */
export const listed = (words = ''): string[] => words.split(' ').filter(Boolean);

/** Any of these as whole words, whatever their capitals. */
export const anyOf = (alternatives: readonly string[], flags = 'iu'): RegExp =>
  new RegExp(`(?<!\\p{L})(${alternatives.join('|')})(?!\\p{L})`, flags);
