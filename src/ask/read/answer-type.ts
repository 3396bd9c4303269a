import { analyzedWords } from './words.js';

/**
 * What kind of thing a question asks for, as far as its words say, and whether a sentence names one: of the coarse classes of Li & Roth
 * (2002) those that a sentence shows on its surface. English, Spanish, German and French.
 */
type Kind = 'FIGURE' | 'NAME' | 'REASON';

/** Tells whether a sentence names what the question asks for, which the question doesn't name itself. */
export type AnswerTypeTest = (sentence: string) => boolean;

/** Any of these as whole words. */
const anyOf = (...alternatives: string[]): RegExp =>
  new RegExp(`(?<!\\p{L})(${alternatives.join('|')})(?!\\p{L})`, 'iu');

/** The first that fits counts. */
const ASKED: readonly (readonly [Kind, RegExp])[] = [
  [
    'REASON',
    anyOf('why', '(what|which) (is|are|was|were) the (reasons?|causes?)', 'por qué', 'warum|weshalb|wieso', 'pourquoi'),
  ],
  [
    'FIGURE',
    anyOf(
      'how (many|much|long|old|often|far|soon|high|tall|big|large|hot|cold|warm|fast|late|early|deep|heavy|thick|wide|strong)',
      'when|until what|(what|which) (year|month|day|date|time|hour|century|age|percentage|percent|share|temperature)',
      '(what|which) (price|fee|cost|amount|number|size|rate|port|height|length|weight|speed|distance|dose)',
      'cuánt[oa]s?|cuándo|(qué|cuál es (el|la)) (año|mes|día|fecha|hora|siglo|edad|porcentaje|temperatura|precio|cantidad|número|tasa)',
      'wie ?viele?|wie (lange|oft|alt|hoch|groß|weit|schnell|schwer|tief|warm|heiß|spät|früh)|wann',
      'welche[nmrs]? (jahr|monat|tag|datum|temperatur|preis|betrag|anzahl|alter)',
      'combien|quand|quel(le)? (année|mois|jour|date|heure|âge|prix|pourcentage|température|montant|nombre|taux)',
    ),
  ],
  ['NAME', anyOf('who|whom|whose|where', 'quién(es)?|dónde', 'wer|wem|wen|wo', 'où|^qui')],
];

/** Numbers that are no pronoun or article, and parts of time that dates are told by. A word that means something else in English is left out. */
const FIGURE_WORD = anyOf(
  'two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(thir|four|fif|six|seven|eigh|nine)teen',
  '(twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|millions?|half|quarter|twice|noon|midnight',
  '(mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|april|june|july|august|september|october|november|december',
  'dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|cien|ciento|mil|mitad',
  'zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|hundert|tausend|hälfte',
  'deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|vingt|trente|cent|mille|moitié',
);
const REASON = anyOf(
  'because|since|so that|due to|owing to|therefore|thus|hence|otherwise|reasons?|caused?|causes|in order to',
  'to (avoid|prevent|keep|protect)',
  'porque|ya que|debido|por eso|para que',
  'weil|denn|damit|deshalb|daher|sonst|wegen',
  'parce que|puisque|afin|donc|sinon',
);

/** @returns null where the question's words don't say what it asks for */
export function answerTypeOf(question: string): AnswerTypeTest | null {
  const kind = ASKED.find(([, pattern]) => pattern.test(question))?.[0];
  if (kind === undefined) return null;
  if (kind === 'REASON') return (sentence) => REASON.test(sentence);
  const asked = new Set(analyzedWords(question).map(({ text }) => text.toLowerCase()));
  return (sentence) =>
    analyzedWords(sentence).some(
      ({ text, name, numeric }) =>
        !asked.has(text.toLowerCase()) && (kind === 'FIGURE' ? numeric || FIGURE_WORD.test(text) : name && !numeric),
    );
}
