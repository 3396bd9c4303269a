import type { LanguageWords } from './language-words.js';

export const GERMAN: LanguageWords = {
  code: 'de',
  inQuestions: 'der das und ist wie wer wann wo welche welcher wird wurde nicht von ein eine',
  sentences: {
    stopWords: 'der die das ein eine und oder ist sind was wer wann wo wie von zu mit',
    ambiguous: 'die mit',
    telling: 'der das ein eine einen den dem und oder ist sind was wer wann wo wie von zu im welche',
    numbers: 'zwei drei vier fünf sechs sieben acht neun zehn elf zwölf',
    asks: {
      REASON: ['warum|weshalb|wieso'],
      FIGURE: [
        'wie ?viele?|wie (lange|oft|alt|hoch|groß|weit|schnell|schwer|tief|warm|heiß|spät|früh)|wann',
        'welche[nmrs]? (jahr|monat|tag|datum|temperatur|preis|betrag|anzahl|alter)',
      ],
      NAME: ['wer|wem|wen|wo'],
    },
    when: 'wann',
    figures: ['zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|hundert|tausend|hälfte'],
    reasons: ['weil|denn|damit|deshalb|daher|sonst|wegen'],
    pronouns: 'er sie es sein seine ihr ihre dies diese dieser dieses',
    joins: 'und\\s+(?:wer|wem|wen|warum|wie\\s?viele?|wie\\s+(?:lange|oft|alt|hoch|groß))',
    asides: 'hallo|hi|bitte|danke|oder|wirklich|entschuldigung',
    followUps: {
      goesOn: ['und|oder|aber|auch|was ist mit|wie ist es mit|wie sieht es'],
      bare: [
        '(?!(?:wie|wann|wo|wer)\\s+(?:ist|sind|war|waren)\\s)(?:womit|wofür|wozu|wodurch|woran|wovon|wie|wann|wo|wohin|woher|wer|wem|wen|warum|weshalb|wieso)',
        '(?:mit|von|für|bei|aus|in|an|auf|zu|um|ab|bis|seit)\\s+(?:was|wem|wen|wann|wie|welche[mnrs]?)',
      ],
      fragment: [],
    },
    yes: 'ja',
    no: 'nein',
  },
};
