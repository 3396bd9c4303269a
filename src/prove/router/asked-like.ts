/** Words of its own that a question has for each telling word that it shares with its passage. */
const OWN_WORDS = 0.5;

/** Share of clozes that end with a question mark: not all who look for something ask for it. */
const ASKING = 0.75;

/**
 * A cloze in the form of a question that somebody might ask. A cloze has none but its passage's words, which no reader's question has:
 * taken as it is, it would teach that all words must be found. And most who ask end with a question mark.
 * @param strange words to draw from, of text that belongs nowhere
 */
export function askedLike(cloze: string, strange: readonly string[], random: () => number): string {
  const words = cloze.split(' ');
  const added = Math.max(1, Math.round(OWN_WORDS * words.filter(isTelling).length));
  for (let i = 0; i < added; i++) {
    const word = strange[Math.floor(random() * strange.length)];
    if (word !== undefined) words.splice(1 + Math.floor(random() * words.length), 0, word);
  }
  return words.join(' ') + (random() < ASKING ? '?' : '');
}

/** Short words are mostly those that every sentence has. */
const isTelling = (word: string): boolean => word.length > 3;
