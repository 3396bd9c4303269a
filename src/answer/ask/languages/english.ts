import type { LanguageWords } from './language-words.js';

/** What follows a question word in a question, and hardly in a clause. */
const ASKING =
  'is|are|was|were|do|does|did|can|could|will|would|should|shall|may|must|has|have|had|many|much|long|often|far|old';

/** Not what begins a clause, as in "What happens when the power fails?" */
const WHEN =
  `when(?=\\s+(?:${ASKING}|exactly|to)\\b)|when(?=\\P{L}*$)|(?<=\\b(?:tell me|know)\\s+)when|` +
  '(?<=^\\P{L}*(?:(?:since|until|till|by|from)\\s+)?)when(?![^?]*,)';

export const ENGLISH: LanguageWords = {
  code: 'en',
  inQuestions: 'the what which who how when where does is are was of and did you your can have there any with for my',
  sentences: {
    stopWords:
      'a an the of in on at to for from by with and or but is are was were be been being am do does did done has have had having ' +
      'what which who whom whose when where why how that this these those there here it its as into than then so such too very ' +
      'they them their he him his she her you your i we our us me my if not no can could would should will shall may might must ' +
      'about over under between during any some all each also just only much many more most other please tell ' +
      "don't doesn't didn't isn't aren't wasn't can't won't i'm it's that's there's let's",
    telling: 'the of in at to for from by with and is are was were did do does who what when where how her his',
    numbers: 'two three four five six seven eight nine ten eleven twelve',
    asks: {
      REASON: ['why', '(what|which) (is|are|was|were) the (reasons?|causes?)'],
      FIGURE: [
        'how (many|much|long|old|often|far|soon|high|tall|big|large|hot|cold|warm|fast|late|early|deep|heavy|thick|wide|strong)',
        WHEN,
        'until what|(what|which) (year|month|day|date|time|hour|century|age|percentage|percent|share|temperature)',
        '(what|which) (price|fee|cost|amount|number|size|rate|port|height|length|weight|speed|distance|dose)',
      ],
      NAME: ['who|whom|whose|where'],
    },
    when: WHEN,
    figures: [
      'two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(thir|four|fif|six|seven|eigh|nine)teen',
      '(twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|millions?|half|quarter|twice|noon|midnight',
      '(mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|april|june|july|august|september|october|november|december',
    ],
    reasons: [
      'because|since|so that|due to|owing to|therefore|thus|hence|otherwise|reasons?|caused?|causes|in order to',
      'to (avoid|prevent|keep|protect)',
    ],
    labels: [
      'version|release|edition|article|section|step|chapter|paragraph|platform|form|room|line|level|phase|type|model|code|roll',
    ],
    pronouns: 'he she it they his her its their this these that those both one',
    joins: `and\\s+(?:(?:what|when|where|how|why)\\s+(?:${ASKING})|who|whom|whose|which|(?:at|by|for|from|in|on|under|with)\\s+what)`,
    asides: 'hello|hi|hey|really|right|okay|ok|please|thanks|thank you|sorry|excuse me|anybody|anyone',
    followUps: {
      goesOn: ['and|or|but|so|also|what about|how about|what if|even|except|unless'],
      bare: [
        '(?!(?:how|when|where)\\s+(?:is|are|was|were)\\s)(?:since when|until when|which ones?|for how long|by whom|how|when|where|who|why)',
        '(?:what|which|whose)\\s+\\p{L}+\\W*$',
      ],
      fragment: [
        '(?:about|after|at|before|by|during|for|from|in|of|on|since|to|under|until|with|without|between|per|as|only|not)',
      ],
    },
    yes: 'yes',
    no: 'no',
  },
};
