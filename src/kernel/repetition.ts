/** Longest piece whose repetition is noticed, in tokens: a long sentence. */
const LONGEST_PIECE = 48;
/** A piece counts as repeated when it stands so often in a row… */
const LEAST_TIMES = 4;
/** …and all of it is at least this long, in tokens: rules of tables, rows of zeros and refrains stay below. */
const LEAST_TOKENS = 32;

/** Where a text began to say the same over and over, in tokens. */
interface Repetition {
  /** Tokens up to the end of the piece's first occurrence. */
  kept: number;
}

/**
 * Notices that a model says the same piece over and over, as small ones do ("））））" up to the last token they may write). A
 * function of the tokens alone: the same tokens are stopped at the same place, whatever they mean and however they are read.
 */
export class RepetitionWatch {
  private readonly tokens: number[] = [];
  /** For each length of a piece: how many tokens in a row equal the one that many places before. */
  private readonly equal = new Uint32Array(LONGEST_PIECE + 1);

  /** @returns null as long as the tokens do not end in a repeated piece */
  push(token: number): Repetition | null {
    const { tokens, equal } = this;
    tokens.push(token);
    for (let piece = 1; piece <= LONGEST_PIECE; piece++) {
      equal[piece] = token === tokens.at(-1 - piece) ? equal[piece]! + 1 : 0;
      const repeated = equal[piece]! + piece;
      if (equal[piece]! > 0 && repeated >= LEAST_TOKENS && repeated >= LEAST_TIMES * piece)
        return { kept: tokens.length - equal[piece]! };
    }
    return null;
  }
}
