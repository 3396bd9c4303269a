import { stemOf } from './words.js';

/**
 * English words that exclude each other: a sentence that has only one of them says nothing of the other. Each side lists the forms that
 * stemming doesn't bring together. Left out are words that measure ("how old" asks of the young, too), those with another common meaning
 * (left, right, light), what is one thing seen from two sides (buy, sell; win, defeat), and what a denial turns round (allow, forbid).
 */
const PAIRS: readonly (readonly [string, string])[] = [
  ['open opens opened opening', 'close closes closed closing shut shuts'],
  ['arrive arrives arrived arrival', 'depart departs departed departure leave leaves'],
  ['enter enters entered entrance entry', 'exit exits exited'],
  ['import imports imported', 'export exports exported'],
  ['born birth', 'die died dies death'],
  [
    'increase increases increased rise rises rose grew grow grows',
    'decrease decreases decreased fall fell falls decline declined',
  ],
  ['accept accepts accepted', 'reject rejects rejected refuse refuses refused'],
  ['include includes included', 'exclude excludes excluded'],
  ['enable enables enabled', 'disable disables disabled'],
  ['connect connects connected', 'disconnect disconnects disconnected'],
  ['lock locks locked', 'unlock unlocks unlocked'],
  ['install installs installed', 'uninstall uninstalls uninstalled'],
  ['load loads loaded', 'unload unloads unloaded'],
  ['upload uploads uploaded', 'download downloads downloaded'],
  ['encrypt encrypts encrypted', 'decrypt decrypts decrypted'],
  ['deposit deposits deposited', 'withdraw withdraws withdrew withdrawn withdrawal'],
  ['succeed succeeds succeeded success', 'fail fails failed failure'],
  ['maximum max', 'minimum min'],
  ['highest', 'lowest'],
  ['largest biggest', 'smallest'],
  ['longest', 'shortest'],
  ['tallest', 'shortest'],
  ['oldest', 'newest youngest'],
  ['fastest', 'slowest'],
  ['hottest warmest', 'coldest coolest'],
  ['best', 'worst'],
  ['earliest', 'latest'],
  ['strongest', 'weakest'],
  ['richest', 'poorest'],
  ['first', 'last'],
  ['most', 'least fewest'],
  ['inside indoor indoors', 'outside outdoor outdoors'],
  ['above', 'below'],
  ['upper', 'lower'],
  ['top', 'bottom'],
  ['north northern', 'south southern'],
  ['east eastern', 'west western'],
  ['male', 'female'],
  ['mother', 'father'],
  ['son', 'daughter'],
  ['husband', 'wife'],
  ['positive', 'negative'],
  ['public', 'private'],
  ['single', 'double'],
  ['summer', 'winter'],
  ['weekday weekdays', 'weekend weekends'],
  ['majority', 'minority'],
  ['advantage advantages', 'disadvantage disadvantages'],
  ['employer employers', 'employee employees'],
  ['predecessor', 'successor'],
  ['input', 'output'],
  ['income', 'expense expenses'],
];

/** A sentence tells both ends of a span in one ("from 1914 on", "until 1918"), but no wording may take one for the other. */
const ENDS: typeof PAIRS = [
  [
    'begin begins began begun beginning start starts started',
    'end ends ended ending finish finishes finished stop stops stopped',
  ],
];

/** By stem, those that exclude it. */
function opposites(pairs: typeof PAIRS): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const pair of pairs) {
    const sides = pair.map((forms) => forms.split(' ').map(stemOf)) as [string[], string[]];
    for (const [own, against] of [sides, sides.toReversed()] as [string[], string[]][])
      for (const stem of own) found.set(stem, new Set([...(found.get(stem) ?? []), ...against]));
  }
  return found;
}

const OF_SENTENCES = opposites(PAIRS);
const OF_WORDINGS = opposites([...PAIRS, ...ENDS]);

/** Whether a sentence says the opposite of a word that is asked for, and not the word: all by stems. Both in the question ask which. */
export const saysOpposite = (sentence: ReadonlySet<string>, stem: string, asked: ReadonlySet<string>): boolean =>
  isOpposed(OF_SENTENCES, stem, sentence) && !meets(OF_SENTENCES.get(stem)!, asked);

/** Whether a wording's word takes its source's word for its opposite, by stems. */
export const turnsRound = (stem: string, source: ReadonlySet<string>): boolean => isOpposed(OF_WORDINGS, stem, source);

/** Stems that no wording may put in the place of this one. */
export const oppositesOf = (stem: string): ReadonlySet<string> => OF_WORDINGS.get(stem) ?? NONE;
const NONE: ReadonlySet<string> = new Set();

/** Whether a question asks if something is so: then a sentence that says the opposite answers it. */
export const asksWhether = (question: string): boolean =>
  /^\W*(is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|must)\b/i.test(question);

function isOpposed(
  opposed: ReadonlyMap<string, ReadonlySet<string>>,
  stem: string,
  held: ReadonlySet<string>,
): boolean {
  const against = opposed.get(stem);
  if (against === undefined || held.has(stem)) return false;
  // "Shut" stands for "close": another word of its own side says it.
  const own = new Set([...against].flatMap((each) => [...opposed.get(each)!]));
  return meets(against, held) && !meets(own, held);
}

const meets = (some: ReadonlySet<string>, held: ReadonlySet<string>): boolean =>
  [...some].some((each) => held.has(each));
