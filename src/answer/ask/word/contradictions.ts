import { contentStems, analyzedWords, type Word } from '../read/words.js';

/**
 * Stems of the words of a wording that its source contradicts: it has another word or number in the same place before the same word
 * ("double-stranded" for "single-stranded", "999 bar" for "6.5 bar"), or denies what the wording affirms, or the other way round. Without this 2.5
 * points more answers in a model's words are wrong; a list of opposites ("opens" for "closes") changed none of 278 (`bench -- wording-rules`).
 */
export function contradictions(wording: string, source: string): Set<string> {
  const wordingReading = readingOf(wording);
  const sourceReading = readingOf(source);
  const contradicted = new Set<string>();
  for (const [head, modifiers] of wordingReading.modifiers) {
    const sourceModifiers = sourceReading.modifiers.get(head);
    if (sourceModifiers === undefined) continue;
    for (const modifier of modifiers) if (!sourceReading.stems.has(modifier)) contradicted.add(modifier);
  }
  for (const stem of wordingReading.stems) {
    if (!sourceReading.stems.has(stem)) continue;
    const onlyDenied = (reading: Reading): boolean => reading.denied.has(stem) && !reading.affirmed.has(stem);
    if (onlyDenied(wordingReading) !== onlyDenied(sourceReading)) contradicted.add(stem);
  }
  return contradicted;
}

interface Reading {
  stems: Set<string>;
  /** Stems of the content words directly before a content word, by its stem. */
  modifiers: Map<string, Set<string>>;
  /** Stems of the content words that come next after a negation. */
  denied: Set<string>;
  /** Stems of all other content words. */
  affirmed: Set<string>;
}

function readingOf(text: string): Reading {
  const stems = contentStems(text);
  const reading: Reading = {
    stems,
    modifiers: new Map(),
    denied: new Set(),
    affirmed: new Set(),
  };
  let previousWord: Word | null = null;
  let denying = false;
  for (const word of analyzedWords(text)) {
    const content = stems.has(word.stem);
    if (NEGATION.test(word.text)) denying = true;
    else if (NO_DENIAL.test(word.text)) denying = false;
    else if (content) {
      (denying ? reading.denied : reading.affirmed).add(word.stem);
      denying = false;
      if (previousWord)
        reading.modifiers.set(word.stem, (reading.modifiers.get(word.stem) ?? new Set()).add(previousWord.stem));
    }
    previousWord = content ? word : null;
  }
  return reading;
}

const NEGATION =
  /^(not|no|never|without|cannot|nor|neither|\p{L}+n['’]t|nunca|sin|nicht|keine?[nmrs]?|ohne|jamais|sans)$/iu;
/** "Not only the seal" denies nothing of the seal. */
const NO_DENIAL = /^(only|just|merely|solo|sólo|nur)$/iu;
