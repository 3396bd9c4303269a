/**
 * English words that exclude each other: no wording may take one for the other. Each side lists its forms, because
 * stems would bring in strangers ("lower" and "low", "public" and "publication"). Left out are words that measure ("how old" asks of the
 * young, too), those with another common meaning (left, right, light), what is one thing seen from two sides (buy, sell; win, defeat), and
 * what a denial turns round (allow, forbid).
 */
const PAIRS: readonly (readonly [string, string])[] = [
  ['open opens opened opening', 'close closes closed closing shut shuts'],
  ['arrive arrives arrived arriving arrival', 'depart departs departed departing departure leave leaves leaving'],
  ['enter enters entered entering entrance entry', 'exit exits exited exiting'],
  ['import imports imported importing', 'export exports exported exporting'],
  ['born birth', 'die dies died death'],
  [
    'increase increases increased increasing rise rises rose rising grow grows grew growing',
    'decrease decreases decreased decreasing fall falls fell falling decline declines declined declining',
  ],
  ['accept accepts accepted accepting', 'reject rejects rejected rejecting refuse refuses refused refusing'],
  ['include includes included including', 'exclude excludes excluded excluding'],
  ['enable enables enabled enabling', 'disable disables disabled disabling'],
  ['connect connects connected connecting', 'disconnect disconnects disconnected disconnecting'],
  ['lock locks locked locking', 'unlock unlocks unlocked unlocking'],
  ['install installs installed installing', 'uninstall uninstalls uninstalled uninstalling'],
  ['load loads loaded loading', 'unload unloads unloaded unloading'],
  ['upload uploads uploaded uploading', 'download downloads downloaded downloading'],
  ['encrypt encrypts encrypted encrypting', 'decrypt decrypts decrypted decrypting'],
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
  ['input inputs', 'output outputs'],
  ['income', 'expense expenses'],
  [
    'begin begins began begun beginning start starts started',
    'end ends ended ending finish finishes finished stop stops stopped',
  ],
];

/** A word's own side of its pair, itself among them, and the words that exclude it; all in lower case. */
export interface Sides {
  own: ReadonlySet<string>;
  against: ReadonlySet<string>;
}

const SIDES = ((): ReadonlyMap<string, Sides> => {
  const found = new Map<string, Sides>();
  for (const pair of PAIRS) {
    const [one, other] = pair.map((forms) => forms.split(' ')) as [string[], string[]];
    for (const [own, against] of [
      [one, other],
      [other, one],
    ] as const)
      for (const word of own) {
        const known = found.get(word);
        found.set(word, {
          own: new Set([...(known?.own ?? []), ...own]),
          against: new Set([...(known?.against ?? []), ...against]),
        });
      }
  }
  return found;
})();

/** The sides of a word that no wording may take for its opposite. */
export const wordingSides = (word: string): Sides | undefined => SIDES.get(word);

/** Whether a text, given by its words in lower case, has words of the other side and none of the own. */
export const saysOpposite = ({ own, against }: Sides, words: ReadonlySet<string>): boolean =>
  meets(against, words) && !meets(own, words);

const meets = (some: ReadonlySet<string>, words: ReadonlySet<string>): boolean =>
  [...some].some((each) => words.has(each));
