import type { LanguageWords } from './language-words.js';

/** Not what begins a clause, as in « Que se passe-t-il quand il pleut ? » */
const QUAND = "(?<=^\\P{L}*(?:(?:depuis|pour|jusqu[’']à|à partir de)\\s+)?)quand(?![^?]*,)|quand(?=\\P{L}*$)";

export const FRENCH: LanguageWords = {
  code: 'fr',
  inQuestions: 'quel quelle qui est-ce quand où combien comment le les des du et était',
  sentences: {
    stopWords: 'le les une des et ou est sont du',
    asks: {
      REASON: ['pourquoi'],
      FIGURE: [
        QUAND,
        'combien|quel(le)? (année|mois|jour|date|heure|âge|prix|pourcentage|température|montant|nombre|taux)',
      ],
      NAME: ['où|^qui'],
    },
    when: QUAND,
    figures: ['deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|vingt|trente|cent|mille|moitié'],
    reasons: ['parce que|puisque|afin|donc|sinon'],
    joins: 'et\\s+(?:qui|quand|où|quel(?:le)?s?|pourquoi|comment|combien)',
    asides: 'bonjour|salut|merci|vraiment|pardon',
    yes: 'oui',
    no: 'non',
  },
};
