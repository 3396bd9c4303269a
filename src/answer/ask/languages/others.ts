import type { LanguageWords } from './language-words.js';

/** Languages that are told from the others, so that who asks in them hears what that costs. */
export const OTHERS: readonly LanguageWords[] = [
  { code: 'it', inQuestions: 'quale chi quando dove quanti quanto il gli della degli è che di' },
  { code: 'pt', inQuestions: 'qual quais quem onde quantos quanto os da dos é foi não em são' },
  { code: 'nl', inQuestions: 'het een wie wat waar wanneer hoe hoeveel zijn van werd wordt niet' },
];
