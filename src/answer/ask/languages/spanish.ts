import type { LanguageWords } from './language-words.js';

export const SPANISH: LanguageWords = {
  code: 'es',
  inQuestions: 'qué cuál cuáles quién cómo cuándo dónde cuántos cuánto el los las del por y',
  sentences: {
    stopWords:
      'el la los las un una unos unas de del y o que qué en es son por para con se su sus al lo como cómo cuál cuándo dónde ' +
      'quién cuánto cuántos',
    ambiguous: 'son con',
    telling: 'el la los las un una unos unas de del y que qué en es por para se su sus al cómo cuál cuáles dónde quién',
    numbers: 'dos tres cuatro cinco seis siete ocho nueve diez . doce',
    asks: {
      REASON: ['por qué'],
      FIGURE: [
        'cuánt[oa]s?|cuándo|(qué|cuál es (el|la)) (año|mes|día|fecha|hora|siglo|edad|porcentaje|temperatura|precio|cantidad|número|tasa)',
      ],
      NAME: ['quién(es)?|dónde'],
    },
    when: 'cuándo',
    figures: ['dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|treinta|cien|ciento|mil|mitad'],
    reasons: ['porque|ya que|debido|por eso|para que'],
    labels: ['versión|edición|artículo|sección|capítulo|párrafo'],
    pronouns: 'él ella ellos ellas este esta esto estos estas eso',
    joins: 'y\\s+(?:por\\s+qué|a\\s+quién|quién(?:es)?|qué|cuándo|dónde|cuál(?:es)?|cuánt[oa]s?|cómo)',
    asides: 'hola|por favor|gracias|verdad|perdón',
    followUps: {
      goesOn: ['y|pero|también|qué hay de|qué tal'],
      bare: [
        '(?!(?:cómo|cuándo|dónde|quién)\\s+(?:está|están|es|son|fue)\\s)(?:cuánt[oa]s?|cuándo|dónde|cómo|quién(?:es)?|por qué|cuál(?:es)?)',
        '(?:con|de|a|en|para|por|desde|hasta|sin|sobre)\\s+(?:qué|quién(?:es)?|cuánt[oa]s?|cuándo|dónde|cuál(?:es)?)',
      ],
      fragment: [],
    },
    yes: 'sí',
    no: 'no',
  },
};
