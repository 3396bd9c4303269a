/** What a question asks for, as far as its words say: of the coarse classes of Li & Roth (2002) those that a sentence shows on its surface. */
export type AskedKind = 'FIGURE' | 'NAME' | 'REASON';

/**
 * Words by which the rules about sentences know a language. A further language is a further file, listed in `index.ts`; without one its questions are
 * answered by meaning and by the words that they share with the documents. Patterns are alternatives of a regular expression without flags of its own: they
 * are matched as whole words, whatever their capitals.
 */
export interface LanguageWords {
  /** ISO 639-1. */
  readonly code: string;
  /** Words that stand in most of its questions and in hardly any of the other languages'. */
  readonly inQuestions: string;
  readonly sentences?: SentenceWords;
}

/** Lists of words are parted by blanks. */
export interface SentenceWords {
  /** Words of grammar and of asking; what is left says what a question or a sentence is about. */
  readonly stopWords: string;
  /** Those of them that say something in English: “When did she die?” They are stop words only in a text that `telling` words tell to be of this language. */
  readonly ambiguous?: string;
  /** Stop words that tell a text of this language from one of another; English has them, too. */
  readonly telling?: string;
  /** Two to twelve, which are the same as in digits; a point for one that means something else in English. */
  readonly numbers?: string;
  /** How a question says what it asks for. */
  readonly asks: Readonly<Record<AskedKind, readonly string[]>>;
  /** What asks for a time, and doesn't begin a clause. */
  readonly when?: string;
  /** Numbers that are no pronoun or article, and parts of time that dates are told by; none that means something else in English. */
  readonly figures: readonly string[];
  /** What gives a reason in a sentence. */
  readonly reasons: readonly string[];
  /** What a number behind it names one of: “version 4.1”. */
  readonly labels?: readonly string[];
  /** What a sentence begins with that is about what the one before it says. */
  readonly pronouns?: string;
  /** “and” with what begins a further question behind it, and hardly a clause of the one before (“and when it rains”). */
  readonly joins?: string;
  /** What is written with a question mark and asks nothing: “Hello?” */
  readonly asides?: string;
  /** How a question begins that follows another. */
  readonly followUps?: FollowUpWords;
  /** What an answer begins with that affirms or denies what was asked. */
  readonly yes?: string;
  readonly no?: string;
}

/** Beginnings of questions that go on where the last one ended. */
interface FollowUpWords {
  /** Whatever follows. */
  readonly goesOn: readonly string[];
  /** Where hardly a word follows, and no name. */
  readonly bare: readonly string[];
  /** Where few words follow and none of them is a verb. */
  readonly fragment: readonly string[];
}
