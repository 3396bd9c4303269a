import { wordsOf } from './words.js';

/** Kinds of things that an answer has to name, of those that a sentence shows on its surface (Li & Roth 2002, the coarse classes). */
type Kind = 'FIGURE' | 'NAME' | 'REASON';

/** English, Spanish, German and French. The first that fits counts. */
const ASKED: readonly (readonly [Kind, RegExp])[] = [
  [
    'REASON',
    /(?<!\p{L})(why|(what|which) (is|are|was|were) the (reasons?|causes?)|por qué|warum|weshalb|wieso|pourquoi)(?!\p{L})/iu,
  ],
  [
    'FIGURE',
    /(?<!\p{L})(how (many|much|long|old|often|far|soon|high|tall|big|large|hot|cold|warm|fast|late|early|deep|heavy|thick|wide|strong)|when|(what|which) (year|month|day|date|time|hour|century|age|percentage|percent|share|temperature|price|fee|cost|amount|number|size|rate|port|height|length|weight|speed|distance|dose)|until what|cuánt[oa]s?|cuándo|(qué|cuál es (el|la)) (año|mes|día|fecha|hora|siglo|edad|porcentaje|temperatura|precio|cantidad|número|tasa)|wie ?viele?|wie (lange|oft|alt|hoch|groß|weit|schnell|schwer|tief|warm|heiß|spät|früh)|wann|welche[nmrs]? (jahr|monat|tag|datum|temperatur|preis|betrag|anzahl|alter)|combien|quand|quel(le)? (année|mois|jour|date|heure|âge|prix|pourcentage|température|montant|nombre|taux))(?!\p{L})/iu,
  ],
  ['NAME', /(?<!\p{L})(who|whom|whose|where|quién(es)?|dónde|wer|wem|wen|wo|où|^qui)(?!\p{L})/iu],
];

/** Number words that are no pronoun or article, and parts of time that dates are told by. */
const FIGURE =
  /\p{N}|(?<!\p{L})(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(thir|four|fif|six|seven|eigh|nine)teen|(twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|millions?|half|quarter|twice|noon|midnight|(mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|april|june|july|august|september|october|november|december|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|cien|ciento|mil|mitad|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|hundert|tausend|hälfte|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|vingt|trente|cent|mille|moitié)(?!\p{L})/iu;
const REASON =
  /(?<!\p{L})(because|since|so that|due to|owing to|therefore|thus|hence|otherwise|reasons?|caused?|causes|in order to|to (avoid|prevent|keep|protect)|porque|ya que|debido|por eso|para que|weil|denn|damit|deshalb|daher|sonst|wegen|parce que|puisque|afin|donc|sinon)(?!\p{L})/iu;

/**
 * What tells the sentences that name what a question asks for: a figure or a date, a name, a reason, which the question doesn't name itself.
 * @returns null where its words don't say what that is
 */
export function wantedBy(question: string): ((sentence: string) => boolean) | null {
  const kind = ASKED.find(([, pattern]) => pattern.test(question))?.[0];
  if (kind === undefined) return null;
  if (kind === 'REASON') return (sentence) => REASON.test(sentence);
  const asked = new Set(wordsOf(question).map(({ text }) => text.toLowerCase()));
  return (sentence) =>
    wordsOf(sentence).some(
      ({ text, name, numeric }) =>
        !asked.has(text.toLowerCase()) && (kind === 'FIGURE' ? FIGURE.test(text) : name && !numeric),
    );
}
